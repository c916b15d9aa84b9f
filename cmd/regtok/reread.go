package main

import (
	"errors"
	"log/slog"

	"regtok/auth"
	"regtok/catalog"
)

// rereadable is the configuration file, with the files that it names: settings of accounts, and callers with keys, are taken again
// when they change. None where there is no file.
func (a api) rereadable(accounts *openAccounts, known *catalog.Catalog, callers *auth.Callers, log *slog.Logger) []*renewable {
	if a.reread == nil {
		return nil
	}
	files, sum := a.files, a.sum
	return []*renewable{{name: "the configuration file", files: func() []string { return files }, renew: func() (bool, error) {
		read, err := a.reread()
		if err != nil {
			return false, err
		}
		files = read.files
		if read.sum != sum {
			sum = read.sum
			log.Info("the configuration file has changed: settings of accounts, and callers with keys, are taken without a restart, the rest is not")
		}
		var reopened bool
		if a.ofAccounts {
			reopened, err = accounts.renew(known, read.accounts)
		}
		others, refused := a.renewCallers(callers, read.callers, log)
		return reopened || others, errors.Join(err, refused)
	}}}
}

// renewCallers takes callers with keys as the file has them now: all of them, or none.
func (a api) renewCallers(callers *auth.Callers, read []auth.Caller, log *slog.Logger) (changed bool, err error) {
	switch {
	case callers == nil && len(read) == 0:
		return false, nil
	case callers == nil:
		return false, errors.New("this server knows no callers, and answers everybody on loopback: the first `callers` take a restart")
	}
	if err := checkReaches(read, a.accounts); err != nil {
		return false, err
	}
	renewal := callers.Renew(read)
	if renewal.Empty() {
		return false, nil
	}
	log.Info("callers with keys are others", "added", listed(renewal.Added), "changed", listed(renewal.Changed), "gone", listed(renewal.Gone))
	if len(read) == 0 && a.issuer == nil {
		log.Warn("no callers are known any more: nobody is admitted until some are listed again")
	}
	return true, nil
}

// listed is a list that a log shows as one also when nobody stands on it.
func listed(names []string) []string { return append([]string{}, names...) }
