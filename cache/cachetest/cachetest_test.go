package cachetest_test

import (
	"testing"

	"go.uber.org/goleak"

	"regtok/cache"
	"regtok/cache/cachetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestViewAlone(t *testing.T) { cachetest.Run(t, nil) }

func TestMemory(t *testing.T) {
	cachetest.Run(t, func(*testing.T) func() cache.Store { return cachetest.NewMemory().Connect })
}
