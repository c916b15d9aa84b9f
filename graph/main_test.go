package graph_test

import (
	"fmt"
	"os"
	"testing"
)

// TestMain runs the tests, or what BenchmarkFanOut starts.
func TestMain(m *testing.M) {
	if url := os.Getenv(audienceOf); url != "" {
		if err := attend(url, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}
