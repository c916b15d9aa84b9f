package catalog

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"regtok/activity"
	"regtok/providers"
)

// mostNames is how many names are tried when others take them at the same time.
const mostNames = 3

// makeNew reads the old token and makes the one that takes its place.
func (r rotation) makeNew(ctx context.Context) (old *Token, made Written, err error) {
	ctx, cancel := r.c.carried(ctx)
	defer cancel()
	old, taken, err := r.read(ctx)
	if err != nil {
		made, err = r.failed(err)
		return nil, made, err
	}
	if r.version != nil && *r.version != old.Version() {
		return nil, r.c.overtaken(ctx, r.driver, old), nil
	}
	state, problems := r.state(old)
	for try := 1; ; try++ {
		state.Name = r.name(old, taken)
		if message := r.driver.Capabilities.CheckName(state.Name); message != "" {
			problems = append(problems, invalid("say a name for the new token, because the old one's does not do: "+message, "name"))
		}
		if len(problems) > 0 {
			return nil, Written{Problems: problems}, nil
		}
		w := r.write
		w.name = state.Name
		made, err = r.c.send(ctx, r.account, r.token.OfRegistry(), w, deed{kind: activity.Created}, func() (providers.Created, error) {
			return r.account.Provider.CreateToken(ctx, r.token.OfRegistry(), state)
		})
		if !r.counts() || try == mostNames || made.Token != nil || !has(made.Problems, providers.Conflict) {
			return old, r.named(made, state.Name), err
		}
		taken[state.Name] = true // by somebody since the list was read; nothing was made
	}
}

// counts tells whether the new token's name is the old one's with a counter.
func (r rotation) counts() bool { return r.in.Name == nil && r.driver.Capabilities.Names.Unique }

// read reads the old token past the cache, and the names that are taken where that matters: both are in one list.
func (r rotation) read(ctx context.Context) (*Token, map[string]bool, error) {
	if !r.counts() {
		old, err := r.c.current(ctx, r.account, r.token)
		return old, nil, err
	}
	if err := r.c.learnFor(ctx, r.account, r.token.OfRegistry()); err != nil {
		return nil, nil, err
	}
	list, err := r.c.loadTokens(ctx, at{r.account, r.token.OfRegistry()})
	if err != nil {
		return nil, nil, r.c.beforeWrite(err)
	}
	i := slices.IndexFunc(list, func(t *Token) bool { return t.ID == r.token })
	if i < 0 {
		r.c.outdated(ctx, r.token)
		return nil, nil, providers.NotFoundError(r.driver.Name, "rotate token")
	}
	taken := map[string]bool{}
	for _, t := range list {
		taken[t.Name] = true
	}
	return list[i], taken, nil
}

// state is what the new token is like, but for its name: as the old one, as far as the provider lets it be chosen.
func (r rotation) state(old *Token) (state providers.TokenState, problems []Problem) {
	for _, field := range r.driver.Capabilities.CreateFields {
		switch field {
		case providers.FieldEnabled:
			state.Enabled = &old.Enabled
		case providers.FieldScopes:
			implicit := func(s providers.Scope) bool { return s.Implicit }
			state.Scopes = slices.DeleteFunc(append([]providers.Scope{}, old.Scopes...), implicit)
		case providers.FieldExpiry:
			life := old.ExpiresAt.Sub(old.CreatedAt)
			switch {
			case r.in.Expiry != nil:
				state.ExpiresAt = r.expiry
			case old.ExpiresAt.IsZero():
			case old.CreatedAt.IsZero() || life <= 0:
				problems = append(problems,
					invalid("how long the old token was to live is not known; say when the new one shall end", "expiry"))
			default:
				end := ahead(r.driver, life)
				state.ExpiresAt = &end
			}
		}
	}
	return state, problems
}

// slack is what an end that a provider only just accepts is put off by: requests take time, and clocks differ.
const slack = time.Minute

// ahead is a duration from now on, or a little more when that is only just as far ahead as the provider accepts.
func ahead(driver providers.Driver, d time.Duration) time.Time {
	if soonest := driver.Capabilities.SoonestExpiry; soonest > 0 && d >= soonest {
		d = max(d, soonest+slack)
	}
	return time.Now().UTC().Add(d)
}

// name is the new token's.
func (r rotation) name(old *Token, taken map[string]bool) string {
	switch {
	case r.in.Name != nil:
		return *r.in.Name
	case r.counts():
		return counted(r.driver.Capabilities, old.Name, taken)
	}
	return old.Name
}

// counted is the next name after name that nobody has: "ci", "ci-2", "ci-3". Its front is cut where it would not fit the
// provider's form; empty: it does not fit however short.
func counted(form providers.Capabilities, name string, taken map[string]bool) string {
	base, n := counter(name)
	for {
		n++
		next := fitting(form, base, "-"+strconv.Itoa(n))
		if next == "" || !taken[next] {
			return next
		}
	}
}

// counter takes a name apart. A number is a counter when it has up to three digits: more may be a year or a ticket.
func counter(name string) (base string, n int) {
	i := strings.LastIndexByte(name, '-')
	if i <= 0 || len(name)-i > 4 {
		return name, 1
	}
	digits := name[i+1:]
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || strconv.Itoa(n) != digits {
		return name, 1
	}
	return name[:i], n
}

// fitting joins as much of base as the form allows with the suffix.
func fitting(form providers.Capabilities, base, suffix string) string {
	for base = strings.TrimRight(base, "-"); base != ""; {
		if form.CheckName(base+suffix) == "" {
			return base + suffix
		}
		_, size := utf8.DecodeLastRuneInString(base)
		base = strings.TrimRight(base[:len(base)-size], "-")
	}
	return ""
}

// named adds to a failure what the new token was to be called, where that matters.
func (r rotation) named(made Written, name string) Written {
	for i := range made.Problems {
		if p := &made.Problems[i]; p.Kind == providers.OutcomeUnknown {
			p.Message += fmt.Sprintf(". The new one's name would be %q; leave %s alone, the old one, whatever it is called", name, r.token)
		}
	}
	return made
}

func has(problems []Problem, kind providers.Kind) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Kind == kind })
}
