package tap

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func echo(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) }

func get(t *testing.T, h http.Handler, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil))
	return w
}

func TestRequestsAreCountedByMethodAndPath(t *testing.T) {
	tap := New(http.HandlerFunc(echo))
	get(t, tap, "/a?page=1")
	get(t, tap, "/a?page=2")
	get(t, tap, "/a%2Fb")
	tap.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/a", nil))

	want := map[string]int{"GET /a": 2, "GET /a%2Fb": 1, "POST /a": 1}
	if diff := cmp.Diff(tap.Requests(), want); diff != "" {
		t.Errorf("Requests() differs, got - want +\n%s", diff)
	}
	if got := tap.Total(); got != 4 {
		t.Errorf("Total() = %d, want 4", got)
	}
	tap.Reset()
	if got := len(tap.Requests()) + tap.Total(); got != 0 {
		t.Errorf("after Reset %d requests are counted, want none", got)
	}
}

func TestTheCountsOfManyPathsStaySmall(t *testing.T) {
	tap := New(http.HandlerFunc(echo))
	for i := range maxPaths + 5 {
		get(t, tap, fmt.Sprintf("/%d", i))
	}
	get(t, tap, "/0")
	got := tap.Requests()
	if got[Other] != 5 || got["GET /0"] != 2 || tap.Total() != maxPaths+6 {
		t.Errorf("other = %d, known = %d, total = %d, want 5, 2, %d", got[Other], got["GET /0"], tap.Total(), maxPaths+6)
	}
}

func TestAnswersAreCountedByStatus(t *testing.T) {
	tap := New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/gone":
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusNotFound)
			w.WriteHeader(http.StatusOK) // too late
		case "/cut":
			panic(http.ErrAbortHandler)
		case "/text":
			echo(w, r)
		}
	}))
	for _, path := range []string{"/gone", "/text", "/nothing"} {
		get(t, tap, path)
	}
	func() {
		defer func() { _ = recover() }()
		get(t, tap, "/cut")
	}()
	tap.Spoil(func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	})
	get(t, tap, "/text")
	if diff := cmp.Diff(tap.Statuses(), map[int]int{404: 1, 200: 2, 429: 1}); diff != "" {
		t.Errorf("Statuses() differs, got - want +\n%s", diff)
	}
	if got := tap.Total(); got != 5 {
		t.Errorf("Total() = %d, want 5", got)
	}
	tap.Reset()
	if got := tap.Statuses(); len(got) != 0 {
		t.Errorf("after Reset there are %v, want none", got)
	}
}

func TestASpoiledRequestGoesNoFurther(t *testing.T) {
	tap := New(http.HandlerFunc(echo))
	get(t, tap, "/before")
	tap.Spoil(func(w http.ResponseWriter, _ *http.Request, nth int) bool {
		if nth < 3 {
			w.WriteHeader(http.StatusTooManyRequests)
		}
		return nth < 3
	})
	var got []int
	for range 3 {
		got = append(got, get(t, tap, "/x").Code)
	}
	tap.Spoil(nil)
	got = append(got, get(t, tap, "/x").Code)
	if diff := cmp.Diff(got, []int{429, 429, 200, 200}); diff != "" {
		t.Errorf("statuses differ, got - want +\n%s", diff)
	}
	if n := tap.Requests()["GET /x"]; n != 4 {
		t.Errorf("%d requests are counted, want 4: spoiled ones too", n)
	}
}

func TestLatencyEndsWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		passed := 0
		tap := New(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { passed++ }))
		tap.SetLatency(time.Minute)
		start := time.Now()
		get(t, tap, "/")
		if got := time.Since(start); got != time.Minute {
			t.Errorf("the request took %v, want 1m0s", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		tap.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
		if got := time.Since(start); got != time.Second || passed != 1 {
			t.Errorf("the request ended after %v and %d passed, want 1s and 1", got, passed)
		}
	})
}

func TestManyRequestsAtOnceAreEachCounted(t *testing.T) {
	tap := New(http.HandlerFunc(echo))
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() {
			get(t, tap, "/a")
			tap.Spoil(nil)
			tap.SetLatency(0)
			tap.Requests()
			tap.Statuses()
		})
	}
	wait.Wait()
	if got := tap.Total(); got != 32 {
		t.Errorf("Total() = %d, want 32", got)
	}
}
