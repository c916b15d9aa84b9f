package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/codes"
)

const eventStream = "text/event-stream"

// Events answers subscriptions by GET as server-sent events, for the browser's own EventSource. Its parameters are those of
// GraphQL over HTTP: query or documentId, operationName, variables and extensions, the latter two as JSON. Queries and mutations by GET are
// refused. Add it before POST. Safe to share.
type Events struct {
	Streams *Streams
	// AtEnd watches the credential of a request's caller. The stream ends with it.
	AtEnd AtEnd
}

var _ graphql.Transport = Events{}

// Supports implements graphql.Transport: it is true of a GET that wants events.
func (Events) Supports(r *http.Request) bool {
	return r.Method == http.MethodGet && wantsEvents(r.Header)
}

// Do implements graphql.Transport.
func (e Events) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	w.Header().Set("Content-Type", plain.contentType())
	defer answerPanic(w, r, exec)
	params, refused := fromURL(r)
	if refused != nil {
		refused.write(w)
		return
	}
	op, errs := exec.CreateOperationContext(r.Context(), params)
	switch {
	case errs != nil: // as an event it would make a browser ask again and again
		answer := exec.DispatchError(graphql.WithOperationContext(r.Context(), op), errs)
		write(w, modern.status(answer), answer)
	case !subscribes(op):
		(&refusal{http.StatusMethodNotAllowed, codes.MethodNotAllowed, "send queries and mutations with POST: GET is for subscriptions"}).write(w)
	default:
		subscribe(w, r, exec, op, e.Streams, e.AtEnd)
	}
}

// wantsEvents is about what is named: urql and others name server-sent events among what they take for any operation.
func wantsEvents(h http.Header) bool {
	return parse(joined(h))[eventStream] > 0
}

// subscribe answers a subscription with its events, until the caller's credential ends.
func subscribe(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, op *graphql.OperationContext, streams *Streams, end AtEnd) {
	stream := streams.open(r.Context(), &streams.sse, r.Header.Get("Last-Event-ID"))
	if stream == nil {
		w.Header().Set("Retry-After", "10")
		err := streams.tooMany()
		(&refusal{http.StatusServiceUnavailable, err.Extensions["code"].(string), err.Message}).write(w)
		return
	}
	defer stream.close("sse")
	defer end.watch(r.Context(), stream.expire)()
	events := newEvents(w, streams, stream.tooSlow)
	defer events.stop()
	operation, errs := begin(stream.ctx, exec, op, stream, func() {})
	if errs != nil {
		events.next(&graphql.Response{Errors: errs}, "")
		events.complete()
		return
	}
	events.begins(stream.last())
	for {
		answer, mark, errs := operation.next()
		switch {
		case answer != nil:
			events.next(answer, mark.Cursor)
			continue
		case errs != nil:
			events.next(&graphql.Response{Errors: errs}, "")
		case stream.expired():
			events.next(&graphql.Response{Errors: gqlerror.List{{
				Message: expiredReason, Extensions: map[string]any{"code": codes.Unauthenticated},
			}}}, stream.last())
		case stream.leaves(): // not complete: the caller goes on elsewhere
			events.leave(stream.last())
			return
		}
		events.complete()
		return
	}
}

// answerAsEvents answers a caller who takes nothing else.
func answerAsEvents(w http.ResponseWriter, answer *graphql.Response, streams *Streams) {
	events := newEvents(w, streams, func() {})
	defer events.stop()
	events.next(answer, "")
	events.complete()
}

// events writes server-sent events. Signs of life come by themselves.
type events struct {
	streams *Streams
	w       http.ResponseWriter
	conn    *http.ResponseController
	slow    func() // called when the caller does not read
	unhook  func() // it waits until nothing limits a write any more, since the writer ends with its request

	mu    sync.Mutex
	over  bool
	alive *time.Timer
}

// newEvents begins the answer, so that the caller knows that it is heard before there is an event.
func newEvents(w http.ResponseWriter, streams *Streams, slow func()) *events {
	e := &events{streams: streams, w: w, conn: http.NewResponseController(w), slow: slow}
	// What is read from now on is only whether the caller is there. A writer that knows no limits has none to lift.
	_ = e.conn.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", eventStream)
	w.Header().Set("X-Accel-Buffering", "no") // or nginx keeps events back
	e.mu.Lock()
	e.alive = time.AfterFunc(streams.config.Ping, e.ping)
	e.mu.Unlock()
	limited := make(chan struct{})
	unhook := context.AfterFunc(streams.life, func() {
		defer close(limited)
		e.limit() // for what is being written then
	})
	e.unhook = func() {
		if !unhook() {
			<-limited
		}
	}
	e.write([]byte(":\n\n"))
	return e
}

// begins says where a caller goes on who is cut off before there is an event: a browser would otherwise begin anew, and miss
// what came meanwhile.
func (e *events) begins(cursor string) {
	if cursor != "" {
		e.write([]byte("id: " + cursor + "\n: it begins here\n\n"))
	}
}

func (e *events) ping() { e.write([]byte(": ping\n\n")) }

// next is an event with an answer. An empty cursor leaves the one before it standing.
func (e *events) next(answer *graphql.Response, cursor string) {
	head, tail, err := frame(answer)
	if err != nil {
		panic("transport: an error or an extension of an answer does not encode: " + err.Error())
	}
	var event bytes.Buffer
	event.WriteString("event: next\n")
	if cursor != "" {
		event.WriteString("id: " + cursor + "\n")
	}
	event.WriteString("data: ")
	for _, part := range [][]byte{head, answer.Data, tail} {
		event.Write(part)
	}
	event.WriteString("\n\n")
	e.write(event.Bytes())
}

// complete has an empty line of data: browsers pass over events without any.
func (e *events) complete() { e.write([]byte("event: complete\ndata:\n\n")) }

// leave says where to go on. A browser keeps the id, and sends it when it is back.
func (e *events) leave(cursor string) {
	farewell := ": this server is shutting down\n\n"
	if cursor != "" {
		farewell = "id: " + cursor + "\n" + farewell
	}
	e.write([]byte(farewell))
}

func (e *events) write(text []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return
	}
	began, patience := time.Now(), e.streams.patience()
	e.limit()
	_, err := e.w.Write(text)
	if err == nil {
		err = e.conn.Flush()
	}
	if err != nil {
		e.over = true
		if errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) >= patience { // HTTP/2 only says that the stream is closed
			e.slow()
		}
		return
	}
	_ = e.conn.SetWriteDeadline(time.Time{}) // HTTP/2 ends a stream at its limit, whether anything is being written or not
	e.alive.Reset(e.streams.config.Ping)
}

// limit bounds what is written from now on, or is being written.
func (e *events) limit() { _ = e.conn.SetWriteDeadline(time.Now().Add(e.streams.patience())) }

// stop ends the signs of life. None is on its way any more.
func (e *events) stop() {
	e.unhook()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
	e.alive.Stop()
}

// fromURL reads the parameters of a GET.
func fromURL(r *http.Request) (*graphql.RawParams, *refusal) {
	start := graphql.Now()
	given := r.URL.Query()
	fields := map[string]json.RawMessage{}
	for _, name := range []string{"query", "operationName", documentKey} {
		if given.Has(name) {
			text, err := json.Marshal(given.Get(name))
			if err != nil {
				panic("transport: a string does not encode: " + err.Error())
			}
			fields[name] = text
		}
	}
	for _, name := range []string{"variables", "extensions"} {
		if text := given.Get(name); text != "" {
			fields[name] = json.RawMessage(text)
		}
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return nil, badRequest("variables or extensions are no JSON")
	}
	params, refusal := decode(body)
	if refusal != nil {
		return nil, refusal
	}
	params.Headers = r.Header
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	return params, nil
}
