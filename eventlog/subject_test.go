package eventlog

import (
	"strings"
	"testing"
)

func TestNamesAreCutWhereTheyAreTooLong(t *testing.T) {
	for name, want := range map[string]string{
		"": "", "ümlaut": "ümlaut", "\xff": "\uFFFD", strings.Repeat("x", 600): strings.Repeat("x", mostName),
		"x" + strings.Repeat("ü", 300): "x" + strings.Repeat("ü", 255),
	} {
		if got := (Subject{Name: name, RegistryName: name, CreatedBy: name}).Tidy(); got != (Subject{Name: want, RegistryName: want, CreatedBy: want}) {
			t.Errorf("%q becomes %+v, want %q", name, got, want)
		}
	}
}
