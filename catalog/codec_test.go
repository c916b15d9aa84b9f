package catalog

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"regtok/providers"
)

// codecWorld is a catalog of one account whose tokens become due by policy, too.
func codecWorld(t testing.TB) (*Catalog, *Account) {
	account := newSource("p").account("a")
	account.Fingerprint = "settings"
	policy := Policy{MaxAge: map[string]time.Duration{"p": 90 * day}, Thresholds: DefaultThresholds()}
	return newCatalog(t, Options{Accounts: []*Account{account}, Policy: policy}), account
}

// tried is a codec whatever its kind.
type tried struct {
	draw   func(*rapid.T) any // a list as a load makes it
	pack   func(list any) ([]byte, error)
	unpack func([]byte) (list any, err error)
	// asOne packs and unpacks the only thing of a list.
	asOne func(list any) (any, error)
}

// triedCodecs are all codecs of lists, over an account.
func triedCodecs(c *Catalog, a *Account) map[string]tried {
	codecs, now := newCodecs(c), noon.Add(1)
	return map[string]tried{
		"organizations": try(codecs.organizations, of(a), func(o providers.Organization) Organization {
			return Organization{Organization: o, Account: a, ObservedAt: now}
		}),
		"registries": try(codecs.registries, at{a, grid.o}, func(r providers.Registry) Registry {
			return Registry{Registry: r, Account: a, ObservedAt: now}
		}),
		"tokens": try(codecs.tokens, at{a, grid.r0}, func(t providers.Token) Token { return c.token(a, t, now) }),
		"users":  try(codecs.users, at{a, grid.o}, func(u providers.User) User { return User{u, a} }),
	}
}

func try[V, T any](c codec[T], list at, wrap func(V) T) tried {
	return tried{
		draw: func(t *rapid.T) any {
			var natives []string
			drawInto(t, "native ids", reflect.ValueOf(&natives).Elem())
			for i := range natives {
				natives[i] += "x"
			}
			return shared(natives, func(native string) T {
				var v V
				drawInto(t, "v", reflect.ValueOf(&v).Elem())
				reflect.ValueOf(&v).Elem().FieldByName("ID").Set(reflect.ValueOf(c.child(list.id, native)))
				return wrap(v)
			})
		},
		pack:   func(values any) ([]byte, error) { return c.packList(list, values.([]*T)) },
		unpack: func(packed []byte) (any, error) { return c.unpackList(list, packed) },
		asOne: func(values any) (any, error) {
			v := values.([]*T)[0]
			packed, err := c.packOne(within{list, *c.id(v)}, v)
			if err != nil {
				return nil, err
			}
			if other, err := c.unpackOne(within{list, c.child(list.id, "another")}, packed); err == nil {
				return nil, fmt.Errorf("another one's key has %+v", other)
			}
			return c.unpackOne(within{list, *c.id(v)}, packed)
		},
	}
}

// drawInto fills in every part of a value, so that a part that a codec does not know is missed. Ids are people's.
func drawInto(t *rapid.T, name string, v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		moments := []time.Time{{}, noon, time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC), time.Date(0, 1, 1, 0, 0, 0, 1, time.UTC),
			time.Unix(rapid.Int64Range(-1e10, 1e11).Draw(t, name), rapid.Int64Range(0, 1e9-1).Draw(t, name)).UTC()}
		v.Set(reflect.ValueOf(rapid.SampledFrom(moments).Draw(t, name)))
		return
	case providers.ID:
		v.Set(reflect.ValueOf(user(rapid.StringN(1, 5, -1).Draw(t, name))))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			drawInto(t, v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, name+" is there") {
			v.Set(reflect.New(v.Type().Elem()))
			drawInto(t, name, v.Elem())
		}
	case reflect.Slice:
		if n := rapid.IntRange(-1, 3).Draw(t, "length of "+name); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				drawInto(t, name, v.Index(i))
			}
		}
	case reflect.String:
		v.SetString(rapid.OneOf(rapid.SampledFrom([]string{"", "pull", "ada", "\xff\x00", "🔑"}), rapid.String()).Draw(t, name))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, name))
	case reflect.Int64:
		v.SetInt(rapid.OneOf(rapid.Just(int64(math.MinInt64)), rapid.Int64()).Draw(t, name))
	default:
		t.Fatalf("%s is a %s, which no test draws: teach it", name, v.Type())
	}
}

func TestWhatIsUnpackedIsWhatWasPacked(t *testing.T) {
	for name, codec := range triedCodecs(codecWorld(t)) {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			list := codec.draw(t)
			packed, err := codec.pack(list)
			if err != nil {
				t.Fatalf("%+v cannot be packed: %v", list, err)
			}
			got, err := codec.unpack(packed)
			if err != nil || !reflect.DeepEqual(got, list) {
				t.Fatalf("unpacked %+v, %v, want %+v", got, err, list)
			}
			if reflect.ValueOf(list).Len() == 0 {
				return
			}
			first := reflect.ValueOf(list).Index(0).Interface()
			if got, err := codec.asOne(list); err != nil || !reflect.DeepEqual(got, first) {
				t.Fatalf("alone it is %+v, %v, want %+v", got, err, first)
			}
		}))
	}
}

func TestTheEndOfACredentialIsPacked(t *testing.T) {
	_, a := codecWorld(t)
	for _, end := range []time.Time{{}, noon, noon.Add(1), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		packed, err := packCredential(a, end)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := unpackCredential(a, packed); err != nil || got != end {
			t.Errorf("unpacked %v, %v, want %v", got, err, end)
		}
		if got, err := unpackCredential(newSource("p").account("b"), packed); err == nil {
			t.Errorf("another account's credential ends at %v, want an error", got)
		}
		for n := range packed {
			if got, err := unpackCredential(a, packed[:n]); err == nil {
				t.Errorf("%d of %d bytes are %v, want an error", n, len(packed), got)
			}
		}
	}
}

// example is a list of two tokens with all that they can have.
func example(c *Catalog, a *Account) []*Token {
	var list []*Token
	for _, native := range []string{"t0", "t1"} {
		told := versioned().Token
		told.ID = grid.r0.TokenID(native)
		token := c.token(a, told, noon)
		list = append(list, &token)
	}
	return list
}

func packedExample(t testing.TB, c *Catalog, a *Account) []byte {
	t.Helper()
	packed, err := newCodecs(c).tokens.packList(at{a, grid.r0}, example(c, a))
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func TestAnythingElseIsNotUnpacked(t *testing.T) {
	c, a := codecWorld(t)
	packed, codecs, list := packedExample(t, c, a), newCodecs(c), at{a, grid.r0}
	bad := map[string][]byte{
		"nothing":         nil,
		"one byte more":   append(slices.Clone(packed), 0),
		"another version": append([]byte{codecVersion + 1}, packed[1:]...),
		"text":            []byte(`{"tokens":[]}`),
		"a long list":     append(slices.Clone(newPacker(providers.TokenKind, list).bytes), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
	}
	for n := range packed {
		bad[fmt.Sprintf("%d bytes of it", n)] = packed[:n]
	}
	for what, bytes := range bad {
		if got, err := codecs.tokens.unpackList(list, bytes); err == nil {
			t.Errorf("%s is %+v, want an error", what, got)
		}
	}
	if got, err := codecs.users.unpackList(list, packed); err == nil {
		t.Errorf("tokens are the people %+v, want an error", got)
	}
	if got, err := unpackCredential(a, packed); err == nil {
		t.Errorf("tokens are a moment, %v, want an error", got)
	}
}

func TestWhatBelongsElsewhereIsNotPacked(t *testing.T) {
	for what, change := range map[string]func(*Token){
		"another registry's":     func(t *Token) { t.ID = grid.r1.TokenID("t1") },
		"another organization's": func(t *Token) { t.ID = grid.n.RegistryID("r0").TokenID("t1") },
		"another provider's":     func(t *Token) { t.ID = providers.OrganizationID("q", "o").RegistryID("r0").TokenID("t1") },
		"no token":               func(t *Token) { t.ID = grid.r0 },
		"another account's":      func(t *Token) { t.Account = &Account{Name: "a", Driver: t.Account.Driver} },
		"of another time":        func(t *Token) { t.ObservedAt = noon.Add(1) },
		"a stranger's work":      func(t *Token) { t.CreatedBy = &providers.User{ID: providers.UserID("q", "ada")} },
	} {
		c, a := codecWorld(t)
		list := example(c, a)
		change(list[1])
		if packed, err := newCodecs(c).tokens.packList(at{a, grid.r0}, list); err == nil {
			t.Errorf("a list with a token that is %s is packed: %q", what, packed)
		}
	}
}

func TestWhatIsOfAnotherPlaceIsNotUnpacked(t *testing.T) {
	c, a := codecWorld(t)
	tokens, packed := newCodecs(c).tokens, packedExample(t, c, a)
	for what, key := range map[string]at{
		"another registry":                 {a, grid.r1},
		"another organization's registry":  {a, grid.n.RegistryID("r0")},
		"an organization":                  {a, grid.o},
		"another account":                  {&Account{Name: "b", Driver: a.Driver, Fingerprint: a.Fingerprint}, grid.r0},
		"an account with other settings":   {&Account{Name: "a", Driver: a.Driver, Fingerprint: "others"}, grid.r0},
		"an account without a fingerprint": {&Account{Name: "a", Driver: a.Driver}, grid.r0},
		"an account of the name elsewhere": {&Account{Name: "a", Driver: providers.Driver{Name: "q"}, Fingerprint: a.Fingerprint}, grid.r0},
	} {
		if got, err := tokens.unpackList(key, packed); err == nil {
			t.Errorf("the tokens of %s are %+v, want an error", what, got)
		}
	}
	other, err := tokens.packOne(within{at{a, grid.r0}, grid.r0.TokenID("t0")}, example(c, a)[0])
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tokens.unpackOne(within{at{a, grid.r0}, grid.r0.TokenID("t1")}, other); err == nil {
		t.Errorf("another token is %+v, want an error", got)
	}
	if got, err := tokens.packOne(within{at{a, grid.r0}, grid.r0.TokenID("t1")}, example(c, a)[0]); err == nil {
		t.Errorf("another token is packed: %q", got)
	}
}

// A far tier is read by others than those who wrote it.
func TestNothingThatIsCachedHasRoomForASecret(t *testing.T) {
	seen := map[reflect.Type]bool{reflect.TypeFor[*Account](): true} // it is not packed, but told by its tenant
	var look func(reflect.Type, string)
	look = func(of reflect.Type, path string) {
		if of == reflect.TypeFor[providers.Secret]() {
			t.Errorf("%s is a secret", path)
		}
		if seen[of] {
			return
		}
		seen[of] = true
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			look(of.Elem(), path)
		case reflect.Interface:
			t.Errorf("%s may hold anything", path)
		case reflect.Struct:
			if of == reflect.TypeFor[time.Time]() {
				return
			}
			for i := range of.NumField() {
				look(of.Field(i).Type, path+"."+of.Field(i).Name)
			}
		}
	}
	look(reflect.TypeFor[*Organization](), "Organization")
	look(reflect.TypeFor[*Registry](), "Registry")
	look(reflect.TypeFor[*Token](), "Token")
	look(reflect.TypeFor[*User](), "User")
	if !seen[reflect.TypeFor[providers.BuildkiteRegistry]()] || !seen[reflect.TypeFor[providers.Scope]()] {
		t.Errorf("only %v were looked at", seen)
	}
}

func FuzzUnpack(f *testing.F) {
	c, a := codecWorld(f)
	codecs := triedCodecs(c, a)
	f.Add(packedExample(f, c, a))
	f.Add(append(newPacker(providers.UserKind, at{a, grid.o}).bytes, 0))
	f.Add(append(newPacker(kindCredential, of(a)).bytes, 0, 0))
	f.Fuzz(func(t *testing.T, bytes []byte) {
		if end, err := unpackCredential(a, bytes); err == nil {
			packed, _ := packCredential(a, end)
			if again, err := unpackCredential(a, packed); err != nil || again != end {
				t.Errorf("%v is packed and then %v, %v", end, again, err)
			}
		}
		for name, codec := range codecs {
			list, err := codec.unpack(bytes)
			if err != nil {
				continue
			}
			packed, err := codec.pack(list)
			if err != nil {
				t.Fatalf("%s: what was unpacked cannot be packed: %v", name, err)
			}
			if again, err := codec.unpack(packed); err != nil || !reflect.DeepEqual(again, list) {
				t.Errorf("%s: %+v is packed and then %+v, %v", name, list, again, err)
			}
		}
	})
}

// BenchmarkCodec packs and unpacks the tokens of a registry.
func BenchmarkCodec(b *testing.B) {
	c, a := codecWorld(b)
	tokens, registry := newCodecs(c).tokens, at{a, grid.r0}
	for _, n := range []int{1, 10, 1000} {
		var list []*Token
		for i := range n {
			told := versioned().Token
			told.ID = grid.r0.TokenID(fmt.Sprintf("0191df84-85e4-77aa-83ba-%012d", i))
			told.Name = fmt.Sprintf("deploy %d", i)
			person := *told.CreatedBy
			person.ID.Native, person.Email = fmt.Sprintf("1fe0ba9a-8a4b-4c43-9a3e-%012d", i%5), fmt.Sprintf("ada%d@example.com", i%5)
			told.CreatedBy, told.UpdatedBy = &person, &person
			token := c.token(a, told, noon)
			list = append(list, &token)
		}
		packed, err := tokens.packList(registry, list)
		if err != nil {
			b.Fatal(err)
		}
		perToken := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/token")
			b.ReportMetric(float64(len(packed))/float64(n), "B/token")
		}
		b.Run(fmt.Sprintf("pack/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = tokens.packList(registry, list)
			}
			perToken(b)
		})
		b.Run(fmt.Sprintf("unpack/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = tokens.unpackList(registry, packed)
			}
			perToken(b)
		})
	}
}
