package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// outOfRange is an error for a value outside of what the setting's tag `range` says: 1..100, with the units that the setting
// itself is written in. What is not more than nothing stands for a word.
func outOfRange(flag *kong.Flag, value reflect.Value) error {
	least, most, limited := strings.Cut(flag.Tag.Get("range"), "..")
	if limited && value.Int() > 0 && (value.Int() < bound(flag, least) || value.Int() > bound(flag, most)) {
		return fmt.Errorf("this is out of range: write a value from %s to %s", least, most)
	}
	return nil
}

// bound reads one end of a range.
func bound(flag *kong.Flag, text string) int64 {
	target := reflect.New(flag.Target.Type()).Elem()
	if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: kong.Scan().PushTyped(text, kong.FlagValueToken)}, target); err != nil {
		panic("the range of --" + flag.Name + " makes no sense: " + err.Error())
	}
	return target.Int()
}
