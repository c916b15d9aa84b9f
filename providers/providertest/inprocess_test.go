package providertest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func send(ctx context.Context, t *testing.T, h http.HandlerFunc) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1:1/a%2Fb?c=d", strings.NewReader("question"))
	if err != nil {
		t.Fatal(err)
	}
	return (&http.Client{Transport: newInProcess(t, h)}).Do(r)
}

func TestAnAnswerComesWithoutANetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		response, err := send(t.Context(), t, func(w http.ResponseWriter, r *http.Request) {
			question, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			w.Header().Set("Content-Length", "6")
			w.WriteHeader(http.StatusTeapot)
			w.Header().Set("Too", "late")
			_, _ = io.WriteString(w, "answer")
			if got := r.Host + r.URL.EscapedPath() + r.RequestURI + string(question); got != "127.0.0.1:1/a%2Fb/a%2Fb?c=dquestion" {
				t.Errorf("the server sees %q", got)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || string(text) != "answer" || response.StatusCode != http.StatusTeapot || response.ContentLength != 6 ||
			response.Header.Get("Too") != "" {
			t.Errorf("got %d %q of %d, %v, %v, want 418 \"answer\" of 6", response.StatusCode, text, response.ContentLength,
				response.Header, err)
		}
	})
}

func TestAHandlerThatSaysNothingAnswers200(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		response, err := send(t.Context(), t, func(http.ResponseWriter, *http.Request) {})
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("got %v, %v, want 200", response, err)
		}
		_ = response.Body.Close()
	})
}

func TestABrokenConnectionIsAnErrorOrHalfAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		response, err := send(t.Context(), t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("before the answer: %v, want an unexpected end", err)
		}
		if err == nil {
			_ = response.Body.Close()
		}
		response, err = send(t.Context(), t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half")
			panic(http.ErrAbortHandler)
		})
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if text, err := io.ReadAll(response.Body); string(text) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("in the answer: %q, %v, want half and an unexpected end", text, err)
		}
	})
}

func TestACallerWhoLeavesEndsTheHandler(t *testing.T) {
	for what, h := range map[string]http.HandlerFunc{
		"before the answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"in the answer": func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		"while writing": func(w http.ResponseWriter, _ *http.Request) {
			for {
				time.Sleep(100 * time.Millisecond)
				if _, err := io.WriteString(w, "."); err != nil {
					return
				}
			}
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			response, err := send(ctx, t, h)
			if err == nil {
				_, err = io.ReadAll(response.Body)
				_ = response.Body.Close()
			}
			if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != time.Second {
				t.Errorf("%s: %v after %v, want the deadline after 1s", what, err, took)
			}
		})
	}
}
