package activity

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"regtok/redistest"
)

// indexes runs a case over each index; connect opens it as one more process does.
func indexes(t *testing.T, run func(t *testing.T, connect func() Index)) {
	t.Run("memory", func(t *testing.T) {
		index := NewMemoryIndex(0)
		run(t, func() Index { return index })
	})
	t.Run("redis", func(t *testing.T) {
		server := redistest.Start(t)
		run(t, func() Index {
			index := NewRedisIndex(client(t, server), "test:", 0)
			index.Timeout = 10 * time.Second
			return index
		})
	})
}

func face(n int) Face {
	at := time.Date(2030, 1, 1, 0, 0, n, 0, time.UTC)
	return Face{At: at, Name: "ü \x00 " + fmt.Sprint(n), CreatedBy: "Ada", Disabled: n%2 == 0, ExpiresAt: at, Scopes: "sum", CreatedAt: at}
}

func TestARosterComesOutAsItWentIn(t *testing.T) {
	indexes(t, func(t *testing.T, connect func() Index) {
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		roster, err := connect().Roster(ctx, theRegistry)
		must(err)
		if roster.Version != 0 || !roster.Listed.IsZero() || len(roster.Faces) > 0 {
			t.Errorf("of nothing: %+v", roster)
		}
		all := map[string]Face{}
		for n := range 1200 { // more than go in one call
			all[fmt.Sprint("token/", n)] = face(n)
		}
		listed := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		done, err := connect().Change(ctx, theRegistry, Change{Strict: true, Listed: listed, Digest: "x", Put: all})
		must(err)
		roster, err = connect().Roster(ctx, theRegistry)
		must(err)
		if diff := cmp.Diff(roster.Faces, all); !done || diff != "" || !roster.Listed.Equal(listed) || roster.Version == 0 {
			t.Errorf("done %v, version %d, listed %v, got - want +\n%s", done, roster.Version, roster.Listed, diff)
		}
		if is, err := connect().Digest(ctx, theRegistry); err != nil || is != "x" {
			t.Errorf("its digest is %q, %v", is, err)
		}
		if done, err = connect().Change(ctx, theRegistry, Change{Strict: true, Version: 0, Drop: []string{"token/1"}}); done || err != nil {
			t.Errorf("a change of another version: %v, %v", done, err)
		}
		gone := Face{At: listed, Gone: true}
		done, err = connect().Change(ctx, theRegistry, Change{Put: map[string]Face{"token/2": gone}, Drop: []string{"token/1", "nobody"}})
		must(err)
		some, err := connect().Roster(ctx, theRegistry, "token/1", "token/2", "token/3")
		must(err)
		want := Roster{Listed: listed, Faces: map[string]Face{"token/2": gone, "token/3": face(3)}}
		if diff := cmp.Diff(some, want, cmpopts.IgnoreFields(Roster{}, "Version")); !done || diff != "" || some.Version <= roster.Version {
			t.Errorf("done %v, got - want +\n%s", done, diff)
		}
		if is, err := connect().Digest(ctx, theRegistry); err != nil || is != "" {
			t.Errorf("its digest after that is %q, %v", is, err)
		}
		if other, err := connect().Roster(ctx, theRegistry.OfOrganization().RegistryID("other")); err != nil || len(other.Faces) > 0 {
			t.Errorf("another registry has %+v, %v", other, err)
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := connect().Change(ended, theRegistry, Change{}); err == nil {
			t.Error("a call whose context has ended says nothing")
		}
	})
}

func TestAnIndexInMemoryIsBounded(t *testing.T) {
	index := NewMemoryIndex(10)
	for n := range 100 {
		registry := theRegistry.OfOrganization().RegistryID(fmt.Sprint(n))
		put := map[string]Face{"a": face(1), "b": face(2), "c": face(3)}
		if _, err := index.Change(t.Context(), registry, Change{Listed: time.Now(), Put: put}); err != nil {
			t.Fatal(err)
		}
		if index.tokens > 10 || len(index.rosters) > 3 {
			t.Fatalf("it knows %d tokens of %d registries", index.tokens, len(index.rosters))
		}
		if roster, _ := index.Roster(t.Context(), registry); len(roster.Faces) != 3 {
			t.Fatalf("it forgot the newest: %+v", roster)
		}
	}
}

func TestWhatCannotBeReadInTheIndexTellsNothing(t *testing.T) {
	server := redistest.Start(t)
	meddler := client(t, server)
	index := NewRedisIndex(client(t, server), "test:", 0)
	index.Timeout = 10 * time.Second
	if _, err := index.Change(t.Context(), theRegistry, Change{Listed: time.Now(), Put: map[string]Face{"a": face(1), "b": face(2)}}); err != nil {
		t.Fatal(err)
	}
	key := index.key(theRegistry)[0]
	if life := meddler.PTTL(t.Context(), key).Val(); life <= 0 {
		t.Errorf("a roster is kept for ever: %v", life)
	}
	meddler.HSet(t.Context(), key, "ta", `{"v":2}`)
	roster, err := index.Roster(t.Context(), theRegistry)
	if err != nil || !roster.Listed.IsZero() || len(roster.Faces) != 1 {
		t.Errorf("got %+v, %v, want as if there had been no list", roster, err)
	}
}
