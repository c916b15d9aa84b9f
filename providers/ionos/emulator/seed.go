package emulator

import (
	"fmt"
	"time"
)

const day = 24 * time.Hour

// seedUsers are the people of the contract. The first is its owner.
func seedUsers(start time.Time) []*user {
	people := []struct {
		first, last, mailbox      string
		admin, active, registries bool
		age                       time.Duration
	}{
		{"Ida", "Brandt", "ida.brandt", true, true, true, 900 * day},
		{"Jonas", "Keller", "jonas.keller", false, true, true, 610 * day},
		{"Mei", "Tanaka", "mei.tanaka", false, true, true, 455 * day},
		{"Zoë", "Müller", "zoe.mueller", false, true, false, 120 * day},
		{"Build", "Pipeline", "pipeline", false, true, true, 600 * day},
		{"Pavel", "Novák", "pavel.novak", false, false, true, 850 * day},
	}
	users := make([]*user, len(people))
	for i, p := range people {
		email := p.mailbox + "@lindenhof.example"
		users[i] = &user{
			id: fixedID("user", email), first: p.first, last: p.last, email: email,
			admin: p.admin, active: p.active, registries: p.registries,
			created: start.Add(-p.age), lastLogin: start.Add(-time.Duration(i+1) * 7 * time.Hour),
		}
		users[i].createdBy = users[0].author()
	}
	return users
}

// seedMany is a load: running registries with as many tokens each, of which every third never expires and the others
// do so in one to three months.
func seedMany(st *store, users []*user, start time.Time, registries, tokens int) {
	scopes := []scope{repository("*", "pull", "push"), catalog("list")}
	for i := range registries {
		name := fmt.Sprintf("registry-%04d", i+1)
		r := &registry{
			id: fixedID("registry", name), name: name, location: locations[i%len(locations)], state: "Running",
			storage: int64(i+1) << 30, storageAt: start.Add(-time.Hour), scanning: true,
			created: mark{start.Add(-time.Duration(registries-i) * day), users[i%len(users)].author()},
		}
		st.add(r)
		r.tokens = make([]*token, 0, tokens)
		for j := range tokens {
			t := &token{
				id: fixedID("token", name, fmt.Sprint(j)), name: fmt.Sprintf("token-%04d", j+1),
				status: "enabled", scopes: scopes,
				created: mark{start.Add(-time.Duration(tokens-j) * time.Hour), users[(i+j)%len(users)].author()},
			}
			if j%3 != 0 {
				t.expiry = start.Add(time.Duration(30+(i+j)%60) * day)
			}
			st.addToken(r, t)
		}
	}
}
