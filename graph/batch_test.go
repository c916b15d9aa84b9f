package graph

import (
	"errors"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
)

func TestAPanicOfOneSiblingIsItsOwnError(t *testing.T) {
	down := errors.New("down")
	got, err := sideBySide([]string{"fine", "down", "bug"}, func(_ int, parent string) (*string, error) {
		switch parent {
		case "down":
			return nil, down
		case "bug":
			panic("a bug")
		}
		return &parent, nil
	})
	errs, ok := errors.AsType[graphql.BatchErrorList](err)
	if !ok || len(errs) != 3 {
		t.Fatalf("the error is %v, want one for each sibling", err)
	}
	if got[0] == nil || *got[0] != "fine" || errs[0] != nil {
		t.Errorf("the first is %v, %v, want it fine", got[0], errs[0])
	}
	if got[1] != nil || !errors.Is(errs[1], down) {
		t.Errorf("the second is %v, %v, want its own error", got[1], errs[1])
	}
	if got[2] != nil || errs[2] == nil || !strings.Contains(stackOf(errs[2]), "TestAPanicOfOneSiblingIsItsOwnError") {
		t.Errorf("the third is %v, %v, want its panic with the place", got[2], errs[2])
	}
}
