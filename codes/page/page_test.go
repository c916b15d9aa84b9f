package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestThePageIsMadeOfTheCodes(t *testing.T) {
	got, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(page())); diff != "" {
		t.Errorf("docs/errors.md is not what the codes say; run `make generate` (-file +codes):\n%s", diff)
	}
}
