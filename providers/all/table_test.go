package all_test

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"regtok/providers/all"
)

// TestNobodyElseNamesAProvider keeps a third provider to one new folder and one line: see docs/adding-a-provider.md.
func TestNobodyElseNamesAProvider(t *testing.T) {
	// The schema has types for what only one provider's registries have.
	details := map[string]bool{
		"providers/model.go":               true,
		"graph/internal/model/registry.go": true,
		"catalog/parts.go":                 true, // how they are kept between replicas
		"soak/soak.go":                     true, // how many writes each one's allowance bears
	}
	root := os.DirFS("../..")
	checked := 0
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git"):
			return fs.SkipDir
		case !strings.HasSuffix(name, ".go"), strings.HasSuffix(name, "_test.go"), strings.HasSuffix(name, "_gen.go"), details[name],
			name == "providers/all/all.go":
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		checked++
		for _, driver := range all.Drivers() {
			if !strings.HasPrefix(name, path.Join("providers", driver.Name)+"/") && namesIt(string(text), driver.Name) {
				t.Errorf("%s names the provider %s", name, driver.Name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked < 100 {
		t.Errorf("%d files were checked: this test looks in the wrong place", checked)
	}
}

// namesIt tells whether code names a provider; comments may, for example.
func namesIt(code, name string) bool {
	for line := range strings.Lines(code) {
		statement, _, _ := strings.Cut(line, "//")
		if strings.Contains(strings.ToLower(statement), name) {
			return true
		}
	}
	return false
}
