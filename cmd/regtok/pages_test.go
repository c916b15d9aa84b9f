package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// testCommand matches a command of a page that runs tests: its packages, and the pattern of names.
var testCommand = regexp.MustCompile(`go test (?:-race )?((?:\./[a-z/]+ )+)-run ('[^']+'|[A-Za-z|]+)`)

// TestTheTestsThatPagesNameAreThere: in one of the packages, for each part of the pattern. A command that runs nothing succeeds.
func TestTheTestsThatPagesNameAreThere(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range testCommand.FindAllStringSubmatch(string(text), -1) {
			commands++
			tests := testsOf(t, strings.Fields(found[1]))
			for part := range strings.SplitSeq(strings.Trim(found[2], "'"), "|") {
				if !regexp.MustCompile(`(?m)^func (Test|Fuzz)\w*` + part).MatchString(tests) {
					t.Errorf("%s: no test has %s in its name: %s", filepath.Base(page), part, found[0])
				}
			}
		}
	}
	if commands < 10 {
		t.Errorf("%d commands found, want those of docs/security.md", commands)
	}
}

// TestWhatIsFuzzedIsThere holds `make fuzz` to the functions that there are: where one is missing Go looks for nothing, and succeeds.
func TestWhatIsFuzzedIsThere(t *testing.T) {
	text, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	targets := regexp.MustCompile(`(\./[a-z/]+):(Fuzz\w+)`).FindAllStringSubmatch(string(text), -1)
	for _, target := range targets {
		if !strings.Contains(testsOf(t, target[1:2]), "func "+target[2]+"(") {
			t.Errorf("%s has no %s", target[1], target[2])
		}
	}
	if len(targets) < 13 {
		t.Errorf("%d are found, want 13", len(targets))
	}
}

// testsOf are the tests of some packages, as they are written.
func testsOf(t *testing.T, packages []string) string {
	var all strings.Builder
	for _, folder := range packages {
		files, err := filepath.Glob(filepath.Join("../..", folder, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s has no tests: %v", folder, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
	}
	return all.String()
}
