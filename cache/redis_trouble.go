package cache

import (
	"context"
	"errors"

	"regtok/rediserr"
)

// trouble makes an error for the log of what a client of Redis said.
func trouble(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return rediserr.New(err)
}
