package graph

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"regtok/cache"
	"regtok/catalog"
	"regtok/graph/internal/model"
	"regtok/graph/loader"
	"regtok/providers"
)

// entriesOf turns what was loaded for siblings into a batch resolver's answer. What is gone is null; any other failure
// is the error of the one sibling that it belongs to.
func entriesOf[V, N any](entries []cache.Entry[V], wrap func(V) *N) ([]*N, error) {
	nodes, errs := make([]*N, len(entries)), make([]error, len(entries))
	for i, entry := range entries {
		if errs[i] = unlessGone(entry.Err); entry.Err == nil {
			nodes[i] = wrap(entry.Value)
		}
	}
	return nodes, batchErrors(errs)
}

// batchErrors is nil when all of errs are.
func batchErrors(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return graphql.BatchErrorList(errs)
		}
	}
	return nil
}

// onlyKnown tells whether the selection below the current field asks for nothing but what an id tells.
func onlyKnown(ctx context.Context) bool {
	for _, field := range graphql.CollectFieldsCtx(ctx, nil) {
		switch field.Name {
		case "__typename", "id", "nativeId", "provider":
		default:
			return false
		}
	}
	return true
}

// inList tells whether others like the current field's parents are to come in further calls: when they lie in a list
// around their own, or in edges, which are no batch.
func inList(ctx context.Context) bool {
	path := graphql.GetPath(ctx)
	if _, batch := graphql.BatchParentIndex(ctx); batch {
		path = path[:len(path)-2]
	}
	return slices.ContainsFunc(path, func(e ast.PathElement) bool {
		_, index := e.(ast.PathIndex)
		return index
	})
}

// known is where something is known: an organization, as one account sees it.
type known struct {
	account      *catalog.Account
	organization providers.ID
}

// organizationsOf are the organizations that things belong to. Where an id tells all of one, nothing is asked.
func (r *resolver) organizationsOf(ctx context.Context, n int, told func(i int) (known, time.Time)) ([]*model.Organization, error) {
	nodes := make([]*model.Organization, n)
	enough := onlyKnown(ctx)
	var ids []providers.ID
	var places []int
	for i := range n {
		where, observed := told(i)
		organization := providers.Organization{ID: where.organization}
		if derive := where.account.Driver.Organization; derive != nil {
			organization = derive(where.organization)
		} else if !enough {
			ids, places = append(ids, where.organization), append(places, i)
			continue
		}
		nodes[i] = organizationNode(&catalog.Organization{Organization: organization, Account: where.account, ObservedAt: observed})
	}
	if len(ids) == 0 {
		return nodes, nil
	}
	found, err := entriesOf(loader.For(ctx).Organizations(ctx, ids), organizationNode)
	errs := make([]error, n)
	if list, ok := errors.AsType[graphql.BatchErrorList](err); ok {
		for i, err := range list {
			errs[places[i]] = err
		}
	}
	for i, node := range found {
		nodes[places[i]] = node
	}
	return nodes, batchErrors(errs)
}

// connections makes a page for each sibling out of its list. A list that is gone is null; one that failed is the
// error of its sibling.
func connections[V, C any](entries []cache.Entry[V], page func(i int, entry cache.Entry[V]) (*C, error)) ([]*C, error) {
	list, errs := make([]*C, len(entries)), make([]error, len(entries))
	for i, entry := range entries {
		if entry.Err != nil {
			errs[i] = unlessGone(entry.Err)
			continue
		}
		list[i], errs[i] = page(i, entry)
	}
	return list, batchErrors(errs)
}

// sideBySide calls one for all siblings at once. A panic is an error of its sibling: nobody else would recover it.
func sideBySide[P, C any](parents []P, one func(i int, parent P) (*C, error)) ([]*C, error) {
	list, errs := make([]*C, len(parents)), make([]error, len(parents))
	var wait sync.WaitGroup
	for i, parent := range parents {
		wait.Go(func() {
			defer func() {
				if panicked := recover(); panicked != nil {
					errs[i] = newPanicError(panicked)
				}
			}()
			list[i], errs[i] = one(i, parent)
		})
	}
	wait.Wait()
	return list, batchErrors(errs)
}

// unlessGone is no error when a thing is gone: its field is null.
func unlessGone(err error) error {
	if providers.KindOf(err) == providers.NotFound {
		return nil
	}
	return err
}
