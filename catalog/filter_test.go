package catalog

import (
	"testing"
	"time"

	"regtok/providers"
)

// sample is a token that has everything a filter looks at.
func sample() *Token {
	id := providers.OrganizationID("p", "acme").RegistryID("images").TokenID("0193-ABCD")
	return &Token{
		Token: providers.Token{
			ID: id, Name: "Déploiement CI", Username: "robot", Enabled: true, CreatedAt: noon.Add(-day),
			CreatedBy: &providers.User{ID: providers.UserID("p", "ada")},
			Scopes: []providers.Scope{
				{Type: "registry", Name: "*", Actions: []string{"list"}},
				{Type: "repository", Name: "team/app", Actions: []string{"pull", "push"}},
			},
		},
		DueAt: noon.Add(day), warnAhead: 2 * day,
	}
}

func TestATokenPassesWhenAllConditionsHold(t *testing.T) {
	yes, no := true, false
	within := func(d time.Duration) *time.Duration { return &d }
	id := sample().ID
	other := providers.OrganizationID("p", "other")
	for name, test := range map[string]struct {
		filter TokenFilter
		want   bool
	}{
		"no condition": {TokenFilter{}, true},

		"its provider":               {TokenFilter{Providers: []string{"q", "p"}}, true},
		"other providers":            {TokenFilter{Providers: []string{"q"}}, false},
		"no provider":                {TokenFilter{Providers: []string{}}, false},
		"its organization":           {TokenFilter{OrganizationIDs: []providers.ID{other, id.OfOrganization()}}, true},
		"another organization":       {TokenFilter{OrganizationIDs: []providers.ID{other}}, false},
		"no organization":            {TokenFilter{OrganizationIDs: []providers.ID{}}, false},
		"its registry":               {TokenFilter{RegistryIDs: []providers.ID{id.OfRegistry()}}, true},
		"its registry's namesake":    {TokenFilter{RegistryIDs: []providers.ID{other.RegistryID("images")}}, false},
		"no registry":                {TokenFilter{RegistryIDs: []providers.ID{}}, false},
		"its creator":                {TokenFilter{CreatedByIDs: []providers.ID{providers.UserID("p", "ada")}}, true},
		"a namesake elsewhere":       {TokenFilter{CreatedByIDs: []providers.ID{providers.UserID("q", "ada")}}, false},
		"no creator":                 {TokenFilter{CreatedByIDs: []providers.ID{}}, false},
		"its state":                  {TokenFilter{States: []TokenState{Active, Expiring}}, true},
		"another state":              {TokenFilter{States: []TokenState{Active}}, false},
		"no state":                   {TokenFilter{States: []TokenState{}}, false},
		"created from that moment":   {TokenFilter{Created: Range{From: noon.Add(-day)}}, true},
		"created after it":           {TokenFilter{Created: Range{From: noon.Add(-day + 1)}}, false},
		"created up to that moment":  {TokenFilter{Created: Range{To: noon.Add(-day)}}, false},
		"created before the next":    {TokenFilter{Created: Range{To: noon.Add(-day + 1)}}, true},
		"an empty span":              {TokenFilter{Created: Range{From: noon.Add(-day), To: noon.Add(-day)}}, false},
		"due in a span":              {TokenFilter{Due: Range{From: noon, To: noon.Add(2 * day)}}, true},
		"due before that span":       {TokenFilter{Due: Range{From: noon.Add(2 * day)}}, false},
		"due within a day":           {TokenFilter{DueWithin: within(day)}, false},
		"due within a moment longer": {TokenFilter{DueWithin: within(day + 1)}, true},
		"due within no time":         {TokenFilter{DueWithin: within(0)}, false},
		"due within less than none":  {TokenFilter{DueWithin: within(-2 * day)}, false},
		"never due":                  {TokenFilter{NeverDue: &yes}, false},
		"due some day":               {TokenFilter{NeverDue: &no}, true},

		"a scope's type":                   {TokenFilter{Scope: &ScopeFilter{Type: "repository"}}, true},
		"a scope's name":                   {TokenFilter{Scope: &ScopeFilter{Name: "team/app"}}, true},
		"part of a scope's name":           {TokenFilter{Scope: &ScopeFilter{Name: "team"}}, false},
		"a scope's action":                 {TokenFilter{Scope: &ScopeFilter{Action: "push"}}, true},
		"any scope":                        {TokenFilter{Scope: &ScopeFilter{}}, true},
		"properties of one scope":          {TokenFilter{Scope: &ScopeFilter{"repository", "team/app", "pull"}}, true},
		"properties of two scopes":         {TokenFilter{Scope: &ScopeFilter{Type: "registry", Action: "push"}}, false},
		"a part of the name":               {TokenFilter{Search: "ploi"}, true},
		"the name in capitals":             {TokenFilter{Search: "DÉPLOIEMENT"}, true},
		"the native id in small letters":   {TokenFilter{Search: "abcd"}, true},
		"the user name":                    {TokenFilter{Search: "rob"}, true},
		"a text that is nowhere":           {TokenFilter{Search: "acme"}, false},
		"a text across two fields":         {TokenFilter{Search: "cirobot"}, false},
		"all conditions":                   {TokenFilter{Providers: []string{"p"}, Search: "ci", DueWithin: within(2 * day), NeverDue: &no}, true},
		"all but the time":                 {TokenFilter{Providers: []string{"p"}, Search: "ci", DueWithin: within(1)}, false},
		"all but the text":                 {TokenFilter{Providers: []string{"p"}, Search: "x", DueWithin: within(2 * day)}, false},
		"both a span and a time from now":  {TokenFilter{Due: Range{To: noon.Add(2 * day)}, DueWithin: within(2 * day)}, true},
		"a span that the time contradicts": {TokenFilter{Due: Range{From: noon.Add(2 * day)}, DueWithin: within(2 * day)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.filter.Matcher(noon)(sample()); got != test.want {
				t.Errorf("the token passes: %v, want %v", got, test.want)
			}
		})
	}
}

func TestWhatHasNoDatePassesOnlyWhereNoDateIsAskedFor(t *testing.T) {
	yes, no, week := true, false, 7*day
	for name, test := range map[string]struct {
		filter TokenFilter
		want   bool
	}{
		"no condition":         {TokenFilter{}, true},
		"never due":            {TokenFilter{NeverDue: &yes}, true},
		"due some day":         {TokenFilter{NeverDue: &no}, false},
		"due from a moment on": {TokenFilter{Due: Range{From: noon}}, false},
		"due up to a moment":   {TokenFilter{Due: Range{To: noon}}, false},
		"due soon":             {TokenFilter{DueWithin: &week}, false},
		"created before now":   {TokenFilter{Created: Range{To: noon}}, false},
		"someone's":            {TokenFilter{CreatedByIDs: []providers.ID{providers.UserID("p", "ada")}}, false},
		"with any scope":       {TokenFilter{Scope: &ScopeFilter{}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			bare := &Token{Token: providers.Token{ID: tokenID("p", "t"), Enabled: true}}
			if got := test.filter.Matcher(noon)(bare); got != test.want {
				t.Errorf("a token without dates passes: %v, want %v", got, test.want)
			}
		})
	}
}

func TestARegistryPassesWhenAllConditionsHold(t *testing.T) {
	organization := providers.OrganizationID("p", "acme")
	r := &Registry{Registry: providers.Registry{
		ID: organization.RegistryID("01F"), Slug: "helm-charts", Name: "Helm Charts", Description: "what runs where", Ecosystem: "helm",
	}}
	for name, test := range map[string]struct {
		filter RegistryFilter
		want   bool
	}{
		"no condition":         {RegistryFilter{}, true},
		"its provider":         {RegistryFilter{Providers: []string{"p"}}, true},
		"no provider":          {RegistryFilter{Providers: []string{}}, false},
		"its organization":     {RegistryFilter{OrganizationIDs: []providers.ID{organization}}, true},
		"another organization": {RegistryFilter{OrganizationIDs: []providers.ID{providers.OrganizationID("q", "acme")}}, false},
		"no organization":      {RegistryFilter{OrganizationIDs: []providers.ID{}}, false},
		"what it holds":        {RegistryFilter{Ecosystems: []string{"ruby", "helm"}}, true},
		"something else":       {RegistryFilter{Ecosystems: []string{"ruby"}}, false},
		"nothing":              {RegistryFilter{Ecosystems: []string{}}, false},
		"a part of its name":   {RegistryFilter{Search: "CHARTS"}, true},
		"its slug":             {RegistryFilter{Search: "helm-c"}, true},
		"its native id":        {RegistryFilter{Search: "01f"}, true},
		"its description":      {RegistryFilter{Search: "runs"}, true},
		"a text of nobody":     {RegistryFilter{Search: "acme"}, false},
		"one of two":           {RegistryFilter{Ecosystems: []string{"helm"}, Search: "ruby"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.filter.Match(r); got != test.want {
				t.Errorf("the registry passes: %v, want %v", got, test.want)
			}
		})
	}
}

func TestAnOrganizationPassesWhenAllConditionsHold(t *testing.T) {
	o := &Organization{Organization: providers.Organization{ID: providers.OrganizationID("p", "0192"), Slug: "acme-inc", Name: "Acme GmbH"}}
	for name, test := range map[string]struct {
		filter OrganizationFilter
		want   bool
	}{
		"no condition":       {OrganizationFilter{}, true},
		"its provider":       {OrganizationFilter{Providers: []string{"p"}}, true},
		"another provider":   {OrganizationFilter{Providers: []string{"q"}}, false},
		"no provider":        {OrganizationFilter{Providers: []string{}}, false},
		"a part of its name": {OrganizationFilter{Search: "gmbh"}, true},
		"its slug":           {OrganizationFilter{Search: "ACME-I"}, true},
		"its native id":      {OrganizationFilter{Search: "192"}, true},
		"a text of nobody":   {OrganizationFilter{Search: "globex"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.filter.Match(o); got != test.want {
				t.Errorf("the organization passes: %v, want %v", got, test.want)
			}
		})
	}
}
