package auth

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"
)

const (
	// quiet is how long an address that was told of is not told of again.
	quiet = time.Minute
	// mostAddresses bounds the memory that strangers can take, and the lines of a minute.
	mostAddresses = 1000
)

type addressKey struct{}

// NewAddressContext returns ctx with the address that a caller calls from, with or without a port. It is for the log alone.
func NewAddressContext(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, addressKey{}, address)
}

// tell logs a refused credential. Those that present none are seen in the log of requests.
func (c *Callers) tell(ctx context.Context, err *Error) {
	if err.Reason == Missing {
		return
	}
	address, _ := ctx.Value(addressKey{}).(string)
	place := network(address)
	if !c.failures.first(place, time.Now()) {
		return
	}
	attributes := []slog.Attr{slog.String("from", place), slog.String("reason", string(err.Reason))}
	if err.Err != nil {
		attributes = append(attributes, slog.Any("err", err.Err))
	}
	c.config.Log.LogAttrs(ctx, slog.LevelWarn, "a caller was not admitted", attributes...)
}

// network is whom an address belongs to: with IPv6 one caller has as many as they like.
func network(address string) string {
	if port, err := netip.ParseAddrPort(address); err == nil {
		address = port.Addr().String()
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() || ip.IsLoopback() {
		return ip.String()
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		panic("auth: an address of IPv6 has 64 bits in front: " + err.Error())
	}
	return prefix.String()
}

// failures remembers who was told of. The zero value is ready; safe for concurrent use.
type failures struct {
	mu    sync.Mutex
	since time.Time
	told  map[string]time.Time
}

// first tells whether nobody was told of that address for a while.
func (f *failures) first(address string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.since) >= quiet {
		f.forget(now)
	}
	if at, told := f.told[address]; told && now.Sub(at) < quiet || len(f.told) >= mostAddresses {
		return false
	}
	f.told[address] = now
	return true
}

// forget drops those who may be told of again.
func (f *failures) forget(now time.Time) {
	kept := map[string]time.Time{}
	for address, at := range f.told {
		if now.Sub(at) < quiet {
			kept[address] = at
		}
	}
	f.told, f.since = kept, now
}
