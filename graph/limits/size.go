package limits

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Cost is what an operation may cost at most, known before it runs. It is told in `extensions.cost` of every answer.
//
// Objects are the items of all lists, each as long as its `first` allows. Points stand for work: 10 for each list that is
// asked for, each mutation and each subscription, since it may be a call to a provider, and 1 for each field, once for every 25 objects that
// it is read from.
// For example `registries(first: 50) { nodes { name tokens(first: 100) { nodes { name } } } }` is 51 lists, 5,050 objects
// and 917 points. Fields that do not exist count as fields; what @skip leaves out counts, too.
type Cost struct {
	Points    int `json:"points"`
	MaxPoints int `json:"maxPoints"`

	Objects    int `json:"objects"`
	MaxObjects int `json:"maxObjects"`

	// Caller is what is left of the caller's allowance. Nil: there is none.
	Caller *Allowance `json:"caller,omitempty"`
}

// Allowance is what a caller may spend on operations, in points.
type Allowance struct {
	Remaining int `json:"remaining"` // are left
	PerMinute int `json:"perMinute"` // come back
	Burst     int `json:"burst"`     // there are at most
}

const (
	pointsPerList   = 10 // and a mutation, and a subscription
	objectsPerPoint = 25
	// ceiling is where counting stops: it is above every sensible limit, and its square fits into an int.
	ceiling = 1 << 30
)

func costOf(ctx context.Context) (Cost, bool) {
	if !graphql.HasOperationContext(ctx) {
		return Cost{}, false
	}
	cost, ok := graphql.GetOperationContext(ctx).Stats.GetExtension((*guard)(nil).ExtensionName()).(Cost)
	return cost, ok
}

// size is what a selection set asks for, wherever it stands: a fragment's is computed once, however often it is spread.
// What it costs depends on that place in one way only, and that is linear: by how many lists there are with it below them
// (chunks of 25 objects), and by how many objects.
type size struct {
	fields int // at its own level
	depth  int // the longest chain of fields
	inner  int // the longest chain below an introspection field

	perChunk int // points for each chunk of objects
	perItem  int // points for each object
	objects  int // list items below each object

	paged bool // it asks for a page's items, not only for what is told about the list
}

// and is the size of two selections side by side.
func (s size) and(t size) size {
	return size{
		fields:   plus(s.fields, t.fields),
		depth:    max(s.depth, t.depth),
		inner:    max(s.inner, t.inner),
		perChunk: plus(s.perChunk, t.perChunk),
		perItem:  plus(s.perItem, t.perItem),
		objects:  plus(s.objects, t.objects),
		paged:    s.paged || t.paged,
	}
}

// under is the size of a field that has s below it, and gives one object.
func (s size) under() size {
	s.fields = 1
	s.depth = plus(s.depth, 1)
	s.perChunk = plus(s.perChunk, 1)
	s.paged = false
	return s
}

// listed is the size of a field that has s below it, and gives a list of n objects for each object that it is read from.
func (s size) listed(n int) size {
	chunks := max(1, (n+objectsPerPoint-1)/objectsPerPoint)
	return size{
		fields:   1,
		depth:    plus(s.depth, 1),
		inner:    s.inner,
		perChunk: 1,
		perItem:  plus(pointsPerList, plus(times(chunks, s.perChunk), times(n, s.perItem))),
		objects:  plus(n, times(n, s.objects)),
	}
}

// written is the size of a mutation, or of a subscription's event: what it answers is read by a call to a provider.
func (s size) written() size {
	s.perItem = plus(s.perItem, pointsPerList)
	return s
}

// introspected is the size of __schema or __type with s below it: its depth is counted apart.
func (s size) introspected() size {
	s = s.under()
	s.depth, s.inner = 1, s.depth-1
	return s
}

func plus(a, b int) int  { return min(a+b, ceiling) }
func times(a, b int) int { return min(a*b, ceiling) }

func introspects(field *ast.Field) bool {
	return strings.HasPrefix(field.Name, "__") && field.Name != "__typename"
}
