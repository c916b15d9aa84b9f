package providertest

import "testing"

func economyCases() []testCase {
	return []testCase{
		{"each method sends as many requests as declared, cold and warm", declaredCosts, false},
		{"a registry is read out of the list only where it is said so", registryFromList, false},
	}
}

func declaredCosts(t *testing.T, s subject) {
	for i := range s.newRig(t, options{}).methods() {
		// A world for each, because some methods change it.
		r := s.newRig(t, options{})
		m := r.methods()[i]
		created, _ := r.create(t)
		r.provider = r.open(t)
		r.tap.Reset()
		must(m.call(t.Context(), r.provider, r.world))(t)
		r.wantRequests(t, m.name+", cold", m.cost.Cold)
		// The cold call may have deleted the world's token.
		r.world.token = created.Token
		must(m.call(t.Context(), r.provider, r.world))(t)
		r.wantRequests(t, m.name+", warm", m.cost.Warm)
	}
}

func registryFromList(t *testing.T, s subject) {
	r := s.newRig(t, options{})
	r.tap.Reset()
	must(r.registries(t.Context(), r.provider, r.world.organization))(t)
	lists := r.tap.Requests()
	r.tap.Reset()
	must(r.provider.Registry(t.Context(), r.world.registry))(t)
	fromList := true
	for path := range r.tap.Requests() {
		fromList = fromList && lists[path] > 0
	}
	if fromList != r.driver.RegistryFromList {
		t.Errorf("a registry comes out of the list: %v, declared: %v", fromList, r.driver.RegistryFromList)
	}
}
