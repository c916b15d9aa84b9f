package graph_test

import (
	"reflect"
	"strings"
	"unsafe"

	"regtok/catalog"
)

// textsIn are all texts that can be reached from v in memory, but for accounts: each of them has its credential.
func textsIn(v reflect.Value) []string {
	w := &walk{seen: map[visit]bool{}}
	w.visit(v)
	return w.texts
}

type visit struct {
	at  unsafe.Pointer
	typ reflect.Type
}

type walk struct {
	seen  map[visit]bool
	texts []string
}

var accountType = reflect.TypeFor[*catalog.Account]()

func (w *walk) visit(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		w.texts = append(w.texts, v.String())
	case reflect.Interface:
		w.visit(v.Elem())
	case reflect.Pointer:
		if v.IsNil() || v.Type() == accountType || !w.first(v.UnsafePointer(), v.Type()) {
			return
		}
		w.visit(v.Elem())
	case reflect.Map:
		if v.IsNil() || !w.first(v.UnsafePointer(), v.Type()) {
			return
		}
		for each := v.MapRange(); each.Next(); {
			w.visit(each.Key())
			w.visit(each.Value())
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			w.texts = append(w.texts, string(v.Bytes()))
			return
		}
		if v.Len() == 0 || !w.first(v.UnsafePointer(), v.Type()) {
			return
		}
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			w.visit(v.Index(i))
		}
	case reflect.Struct:
		w.visitFields(v)
	}
}

func (w *walk) first(at unsafe.Pointer, typ reflect.Type) bool {
	is := visit{at, typ}
	seen := w.seen[is]
	w.seen[is] = true
	return !seen
}

// visitFields also follows an atomic.Pointer, whose first field is an array of no *T and whose last is a bare pointer.
func (w *walk) visitFields(v reflect.Value) {
	typ := v.Type()
	if typ.PkgPath() == "sync/atomic" && strings.HasPrefix(typ.Name(), "Pointer[") {
		at := v.FieldByName("v").UnsafePointer()
		if at != nil {
			w.visit(reflect.NewAt(typ.Field(0).Type.Elem().Elem(), at))
		}
		return
	}
	for i := range v.NumField() {
		w.visit(v.Field(i))
	}
}
