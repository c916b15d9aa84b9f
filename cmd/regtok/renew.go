package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"regtok/server"
)

// renewEvery is how often files are looked at. Looking at what is in them sees every way of changing them: also that of a mounted
// secret, where a link to a folder is exchanged, and none has to be told of by the system.
const renewEvery = 2 * time.Second

// renewable is something that was read from files, and is read again when they change.
type renewable struct {
	name  string // in the log
	files func() []string
	renew func() (changed bool, err error) // of an error the old stays in use

	seen, taken [sha256.Size]byte
}

// renewing is what reads things again until ctx ends: when their files have changed, or at once on SIGHUP.
func renewing(things []*renewable, log *slog.Logger) func(context.Context) {
	return func(ctx context.Context) {
		if len(things) == 0 {
			return // and SIGHUP ends the process, as ever
		}
		hangups := make(chan os.Signal, 1)
		signal.Notify(hangups, syscall.SIGHUP)
		defer signal.Stop(hangups)
		looks := time.NewTicker(renewEvery)
		defer looks.Stop()
		for told := false; ; {
			for _, thing := range things {
				thing.look(told, log)
			}
			select {
			case <-ctx.Done():
				return
			case <-looks.C:
				told = false
			case <-hangups:
				told = true
			}
		}
	}
}

// look takes what has changed since it was taken, and not since the last look: that may be half of what is being written. Who is
// told that it is whole need not wait.
func (r *renewable) look(told bool, log *slog.Logger) {
	now := digest(r.files())
	settled := now == r.seen || told
	r.seen = now
	if now == r.taken || !settled {
		return
	}
	r.taken = now
	changed, err := r.renew()
	if err != nil {
		log.Warn("what has changed cannot be used: what was read before stays in use", "what", r.name, "err", err)
	}
	if changed {
		log.Info("read again after a change", "what", r.name)
	}
}

// digest tells one state of files from another.
func digest(paths []string) (sum [sha256.Size]byte) {
	whole := sha256.New()
	for _, path := range paths {
		fmt.Fprintf(whole, "%q:%x\n", path, content(path, sha256.New()))
	}
	return [sha256.Size]byte(whole.Sum(nil))
}

// content sums up what is in a file; nothing: it cannot be read.
func content(path string, sum hash.Hash) []byte {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	if _, err := io.Copy(sum, io.LimitReader(file, longestConfig+1)); err != nil {
		return nil
	}
	return sum.Sum(nil)
}

// renewedCertificate reads a certificate again; none where there is none.
func renewedCertificate(certificate *server.Certificate) []*renewable {
	if certificate == nil {
		return nil
	}
	return []*renewable{{name: "the certificate and its key", files: certificate.Files, renew: certificate.Renew}}
}
