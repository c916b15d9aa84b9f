package rest

import (
	"regexp"
	"testing"
)

func FuzzAUUIDIsWhatItsPatternSays(f *testing.F) {
	for _, seed := range []string{
		"", "0191b6a2-aa51-70d0-8a5f-aabce115b0fd", "0191B6A2-AA51-70D0-8A5F-AABCE115B0FD", "0191b6a2-aa51-70d0-8a5f-aabce115b0fd\n",
		"0191b6a2aa51-70d0-8a5f-aabce115b0fd0", "0191b6a2-aa51-70d0-8a5f-aabce115b0fg", "0191b6a2-aa51-70d0-8a5f-aabce115b0-d",
		"{191b6a2-aa51-70d0-8a5f-aabce115b0f}", "----------------------------------- ", "0191b6a2-aa51-70d0-8a5f-aabce115b0f\u00e9",
	} {
		f.Add(seed)
	}
	pattern := regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)
	f.Fuzz(func(t *testing.T, text string) {
		if got, want := IsUUID(text), pattern.MatchString(text); got != want {
			t.Errorf("IsUUID(%q) = %v, want %v", text, got, want)
		}
	})
}
