package transport_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"regtok/graph/transport"
)

// subscribe executes a subscription of the test's schema as generated code does.
func subscribe(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	field := op.Operation.SelectionSet[0].(*ast.Field)
	switch field.Name {
	case "panic":
		panic("a bug with a secret in it")
	case "fail":
		graphql.AddError(ctx, errors.New("no luck"))
		return nil
	}
	arguments := field.ArgumentMap(op.Variables)
	to, _ := strconv.Atoi(fmt.Sprint(arguments["to"]))
	stay, _ := arguments["stay"].(bool)
	old, _ := arguments["old"].(bool)
	numbers := count(ctx, counter{to: to, stay: stay, old: old})
	return func(ctx context.Context) *graphql.Response {
		select {
		case n, ok := <-numbers:
			if ok {
				return &graphql.Response{Data: fmt.Appendf(nil, `{"count":%d}`, n)}
			}
		case <-ctx.Done():
		}
		return nil
	}
}

// count goes on after the number that a caller resumes at. The cursor of 7 is "c7".
func count(ctx context.Context, c counter) <-chan int {
	stream := transport.StreamOf(ctx)
	from, _ := strconv.Atoi(strings.TrimPrefix(stream.Resume(), "c"))
	c.last, c.numbers = from, make(chan int, 1)
	sources.Add(1)
	stream.Follow(&c, "c"+strconv.Itoa(from))
	return c.numbers
}

type counter struct {
	last, to int
	stay     bool
	old      bool // the first is of an hour ago
	numbers  chan int
}

// Next implements transport.Source.
func (c *counter) Next(ctx context.Context) (m transport.Mark, ok bool) {
	if c.last < c.to {
		c.last++
		c.numbers <- c.last
		m = transport.Mark{Cursor: "c" + strconv.Itoa(c.last), At: time.Now()}
		if c.old && c.last == 1 {
			m.At = m.At.Add(-time.Hour)
		}
		return m, ctx.Err() == nil
	}
	if c.stay {
		<-ctx.Done()
	}
	return m, false
}

// Close implements transport.Source.
func (c *counter) Close() { sources.Add(-1) }

// sources counts those that are not closed.
var sources atomic.Int64

// TestMain fails when a stream of any test has ended, in whatever way, and its source was not closed once.
func TestMain(m *testing.M) {
	code := m.Run()
	ticker := time.NewTicker(time.Millisecond)
	for late := time.After(10 * time.Second); sources.Load() != 0 && code == 0; {
		select {
		case <-late:
			fmt.Println("sources that are still open, or closed twice:", sources.Load())
			code = 1
		case <-ticker.C:
		}
	}
	os.Exit(code)
}
