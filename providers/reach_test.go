package providers

import (
	"strings"
	"testing"
)

var (
	reachX  = OrganizationID("buildkite", "x")
	reachY  = OrganizationID("buildkite", "y")
	reachZ  = OrganizationID("ionos", "1")
	reachX1 = reachX.RegistryID("r1")
	reachX2 = reachX.RegistryID("r2")
	reachY1 = reachY.RegistryID("r1")
)

func TestWhatIsWithinReach(t *testing.T) {
	all := []ID{
		AccountID("buildkite", "a"), AccountID("buildkite", "b"), AccountID("ionos", "a"),
		reachX, reachY, reachZ, reachX1, reachX2, reachY1, reachX1.TokenID("t"), reachX2.TokenID("t"), reachY1.TokenID("t"),
		UserID("buildkite", "u"), UserID("ionos", "u"),
	}
	names := strings.Fields("a/buildkite/a a/buildkite/b a/ionos/a X Y Z X1 X2 Y1 X1t X2t Y1t u/buildkite u/ionos")
	for _, test := range []struct {
		name string
		said map[ReachPart][]string
		want string
	}{
		{"a provider, with all of it", map[ReachPart][]string{"providers": {"ionos"}}, "a/ionos/a Z u/ionos"},
		{"an account, whatever its organizations are", map[ReachPart][]string{"accounts": {"a"}},
			"a/buildkite/a a/ionos/a X Y Z X1 X2 Y1 X1t X2t Y1t u/buildkite u/ionos"},
		{"an organization, with all of it, and the accounts that may see it", map[ReachPart][]string{"organizations": {reachX.String()}},
			"a/buildkite/a a/buildkite/b X X1 X2 X1t X2t u/buildkite"},
		{"a registry, and its organization without the others", map[ReachPart][]string{"registries": {reachX1.String()}},
			"a/buildkite/a a/buildkite/b X X1 X1t u/buildkite"},
		{"registries that lie in one of the organizations", map[ReachPart][]string{
			"organizations": {reachY.String()}, "registries": {reachX1.String(), reachY1.String()}},
			"a/buildkite/a a/buildkite/b Y Y1 Y1t u/buildkite"},
		{"only what all parts have", map[ReachPart][]string{"providers": {"ionos"}, "organizations": {reachX.String()}}, ""},
		{"an account for an organization", map[ReachPart][]string{"accounts": {"b"}, "organizations": {reachX.String()}},
			"a/buildkite/b X X1 X2 X1t X2t u/buildkite"},
	} {
		t.Run(test.name, func(t *testing.T) {
			reach, err := NewReach(test.said)
			if err != nil {
				t.Fatal(err)
			}
			var seen []string
			for i, id := range all {
				if reach.Sees(id) {
					seen = append(seen, names[i])
				}
			}
			if got := strings.Join(seen, " "); got != test.want {
				t.Errorf("it sees %s, want %s", got, test.want)
			}
			if _, parted := test.said["registries"]; reach.WholeOrganizations() == parted {
				t.Errorf("WholeOrganizations = %v", !parted)
			}
			if reach.Everywhere() || reach.Sees(ID{}) {
				t.Error("it sees everything, or what has no id")
			}
		})
	}
	for _, id := range all {
		if !(Reach{}).Sees(id) {
			t.Errorf("the zero reach does not see %v", id)
		}
	}
}

func TestANarrowedReachIsNeverEverything(t *testing.T) {
	for _, part := range ReachParts() {
		t.Run("nothing of "+string(part), func(t *testing.T) {
			for name, narrow := range map[string]func() (Reach, error){
				"no names":     func() (Reach, error) { return Reach{}.Narrow(part) },
				"an empty one": func() (Reach, error) { return Reach{}.Narrow(part, []string{}...) },
				"twice, other things": func() (Reach, error) {
					first, other := "a", "b"
					if part == ReachOrganizations {
						first, other = reachX.String(), reachY.String()
					}
					if part == ReachRegistries {
						first, other = reachX1.String(), reachX2.String()
					}
					r, err := Reach{}.Narrow(part, first)
					if err != nil {
						return r, err
					}
					return r.Narrow(part, other)
				},
			} {
				reach, err := narrow()
				if err != nil {
					t.Fatal(err)
				}
				for _, id := range []ID{AccountID("a", "a"), AccountID("b", "b"), reachX, reachX1, reachX2, reachX1.TokenID("t"), reachY} {
					if reach.Sees(id) && (part != ReachAccounts || id.Kind == AccountKind) {
						t.Errorf("%s: it sees %v", name, id)
					}
				}
				if reach.Everywhere() {
					t.Errorf("%s: it sees everything", name)
				}
			}
		})
	}
	t.Run("what is wrong sees nothing", func(t *testing.T) {
		for _, wrong := range []struct {
			part  ReachPart
			names []string
		}{{"everything", nil}, {"organizations", []string{"x"}}, {"registries", []string{reachX.String()}}, {"organizations", []string{reachX1.String()}}} {
			reach, err := Reach{}.Narrow(wrong.part, wrong.names...)
			if err == nil || reach.Everywhere() || reach.Sees(reachX) || reach.Sees(AccountID("buildkite", "a")) {
				t.Errorf("Narrow(%q, %v) = %v, %v, want nothing and an error", wrong.part, wrong.names, reach, err)
			}
		}
	})
	t.Run("a configuration that says nothing is refused", func(t *testing.T) {
		for want, said := range map[string]map[ReachPart][]string{
			"it names nothing":                {},
			"providers is empty":              {"providers": nil},
			"registries is empty":             {"providers": {"ionos"}, "registries": {}},
			`there is no "regions"`:           {"regions": {"x"}},
			`"x" is not the id of a registry`: {"registries": {"x"}},
		} {
			if _, err := NewReach(said); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("NewReach(%v) says %v, want %s", said, err, want)
			}
		}
	})
}

func TestReachesAreEqualWhenTheySayTheSame(t *testing.T) {
	of := func(part ReachPart, names ...string) Reach {
		r, err := Reach{}.Narrow(part, names...)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	different := []Reach{
		{}, of("providers"), of("accounts"), of("providers", "a"), of("accounts", "a"), of("organizations", reachX.String()),
		of("registries", reachX1.String()), of("registries"),
	}
	for i, a := range different {
		for j, b := range different {
			if a.Equal(b) != (i == j) {
				t.Errorf("%d and %d: Equal = %v", i, j, a.Equal(b))
			}
		}
	}
	if narrowed := of("accounts", "a"); narrowed.Providers() != nil || len(narrowed.Accounts()) != 1 || of("providers").Providers() == nil {
		t.Error("it does not tell what it is narrowed to")
	}
	if !of("providers", "a", "b").Equal(of("providers", "b", "a")) {
		t.Error("the order of names counts")
	}
}
