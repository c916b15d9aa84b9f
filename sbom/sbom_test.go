package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestABinaryTellsItsModulesWithTheirSums(t *testing.T) {
	binary, err := os.Executable() // of this test
	if err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	if err := run(binary, &first); err != nil {
		t.Fatal(err)
	}
	if err := run(binary, &second); err != nil || first.String() != second.String() {
		t.Errorf("it tells another thing the second time: %v", err)
	}
	var got bom
	if err := json.Unmarshal(first.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Format != "CycloneDX" || got.Spec != "1.6" || len(got.Components) == 0 || !strings.HasPrefix(got.Components[0].URL, "pkg:golang/std@go1.") {
		t.Errorf("told %s", first.String())
	}
}

func TestWhatIsNoBinaryIsAnError(t *testing.T) {
	if err := run("main.go", &bytes.Buffer{}); err == nil {
		t.Error("a source was taken for a binary")
	}
}
