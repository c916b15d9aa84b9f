package web_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"regtok/web"
)

// example is an operation that the playground offers.
type example struct {
	file, name, query string
}

func TestEveryExampleSaysWhatItIsForAndIsValid(t *testing.T) {
	schema := publicSchema(t)
	seen := map[string]bool{}
	for _, example := range examples(t) {
		t.Run(example.file, func(t *testing.T) {
			if !strings.HasPrefix(example.query, "# ") {
				t.Error("the example does not begin with a comment that says what it is for")
			}
			if seen[example.name] {
				t.Errorf("the name %q is taken by another example", example.name)
			}
			seen[example.name] = true
			document, errs := gqlparser.LoadQueryWithRules(schema, example.query, rules.NewDefaultRules())
			if errs != nil {
				t.Fatalf("the schema refuses the example: %v", errs)
			}
			if got := len(document.Operations); got != 1 {
				t.Errorf("the example has %d operations, want 1", got)
			}
			if got := len(document.Operations[0].VariableDefinitions); got != 0 {
				t.Errorf("the example has %d variables, want none: it has to run as it is", got)
			}
		})
	}
}

func examples(t *testing.T) []example {
	t.Helper()
	files, err := fs.Glob(web.Examples(), "*.graphql")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("there is no example")
	}
	var examples []example
	for _, file := range files {
		query, err := fs.ReadFile(web.Examples(), file)
		if err != nil {
			t.Fatal(err)
		}
		name := regexp.MustCompile(`(?m)^(?:query|mutation|subscription) (\w+)`).FindSubmatch(query)
		if name == nil {
			t.Fatalf("%s holds no operation with a name", file)
		}
		examples = append(examples, example{file: file, name: string(name[1]), query: string(query)})
	}
	return examples
}

func publicSchema(t *testing.T) *ast.Schema {
	t.Helper()
	const file = "../schema.graphqls"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: file, Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
