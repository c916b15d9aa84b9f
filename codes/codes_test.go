package codes_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	graphql "github.com/vektah/gqlparser/v2/ast"

	"regtok/codes"
)

// root is the project's.
const root = ".."

// meanings are all codes that are explained.
func meanings(t *testing.T) map[string]codes.Meaning {
	t.Helper()
	known := map[string]codes.Meaning{}
	for _, m := range codes.Meanings() {
		if _, twice := known[m.Code]; twice {
			t.Errorf("%s is explained twice", m.Code)
		}
		if m.Means == "" || m.Mends == "" || m.Again == "" {
			t.Errorf("%s lacks what it means, who mends it or whether to try again", m.Code)
		}
		known[m.Code] = m
	}
	return known
}

// sources are the parsed files of some folder, by path: the project's own, without tests and generated ones.
func sources(t *testing.T, folder string) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	err := fs.WalkDir(os.DirFS(root), folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && (name == "node_modules" || name == "exec" || strings.HasPrefix(name, ".") && name != ".") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_gen.go") {
			return nil
		}
		files[path], err = parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, 0)
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", folder, len(files), err)
	}
	return files
}

func TestEveryCodeIsExplained(t *testing.T) {
	known := meanings(t)
	for _, file := range sources(t, "codes/codes.go") {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || strings.HasPrefix(spec.Names[0].Name, "Close") {
				return true
			}
			literal, ok := spec.Values[0].(*ast.BasicLit)
			if !ok {
				return true // a kind of package providers: below
			}
			code, err := strconv.Unquote(literal.Value)
			if _, ok := known[code]; err != nil || !ok {
				t.Errorf("%s is not explained", literal.Value)
			}
			return true
		})
	}
	kinds := 0
	for _, file := range sources(t, "providers/errors.go") {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != "Kind" {
				return true
			}
			kinds++
			code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if _, ok := known[code]; err != nil || !ok {
				t.Errorf("the kind %s is not explained", code)
			}
			return true
		})
	}
	if kinds == 0 {
		t.Error("no kinds of failures were found")
	}
}

// TestCodesAreWrittenInOnePlace finds those that are written out where errors are made, and those that nothing uses.
func TestCodesAreWrittenInOnePlace(t *testing.T) {
	known := meanings(t)
	used := map[string]bool{}
	for _, folder := range []string{"graph", "server"} {
		for path, file := range sources(t, folder) {
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					text, err := strconv.Unquote(n.Value)
					if _, ok := known[text]; ok && err == nil && n.Kind == token.STRING {
						t.Errorf("%s writes %s out: use package codes", path, text)
					}
				case *ast.SelectorExpr:
					if room, ok := n.X.(*ast.Ident); ok && (room.Name == "codes" || room.Name == "providers") {
						used[n.Sel.Name] = true
					}
				}
				return true
			})
		}
	}
	for _, file := range sources(t, "codes/codes.go") {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if name := spec.Names[0].Name; !used[name] && !elsewhere[name] {
				t.Errorf("nothing uses codes.%s", name)
			}
			return true
		})
	}
}

// elsewhere are what the kind of a provider's failure becomes, and closes that the library of sockets makes.
var elsewhere = map[string]bool{"Unauthorized": true, "CloseGoingAway": true, "CloseMessageTooLarge": true, "CloseTryAgainLater": true}

func TestEveryFailureOfAMutationIsOnThePage(t *testing.T) {
	text, err := os.ReadFile(root + "/schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(root + "/docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&graphql.Source{Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	known := meanings(t)
	for _, value := range schema.Types["UserErrorCode"].EnumValues {
		if _, ok := known[value.Name]; !ok {
			t.Errorf("the code %s of a payload is not explained", value.Name)
		}
	}
	types := schema.GetPossibleTypes(schema.Types["UserError"])
	if len(types) == 0 {
		t.Error("no types of failures were found")
	}
	for _, typ := range types {
		if !strings.Contains(string(page), "`"+typ.Name+"`") {
			t.Errorf("%s is not on the page", typ.Name)
		}
	}
}

func TestClosesAreInOrderAndExplainedOnce(t *testing.T) {
	closes := codes.Closes()
	if !slices.IsSortedFunc(closes, func(a, b codes.Close) int { return a.Code - b.Code }) {
		t.Errorf("%v", closes)
	}
	for i, c := range closes {
		if c.Means == "" || c.Again == "" || i > 0 && closes[i-1].Code == c.Code {
			t.Errorf("%d: %+v", c.Code, c)
		}
	}
}
