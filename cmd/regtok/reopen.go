package main

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"regtok/catalog"
	"regtok/providers"
	"regtok/providers/budget"
	"regtok/providers/rest"
)

// openAccounts are accounts as they are in use. An account whose settings change is opened anew, as at the start, and takes the
// old one's place: new requests use the new credential. What is under way goes on with the old one.
type openAccounts struct {
	api    api
	log    *slog.Logger
	common shared
	see    func(rest.Observation)
	lasts  time.Duration // the longest that anything goes on with an account that was replaced

	now []openAccount // one goroutine at a time
	old []*retired
}

// openAccount is one, with the settings that it was opened with.
type openAccount struct {
	config accountConfig
	known  *catalog.Account
	hangUp func() // closes the connections that it leaves behind, and its budget; twice is as once
}

// retired is an account that was replaced.
type retired struct {
	hangUp func()
	later  *time.Timer
}

// open opens all accounts, or none.
func (o *openAccounts) open() error {
	for _, config := range o.api.accounts {
		opened, err := o.openOne(config, o.api.redis.options != nil)
		if err != nil {
			o.close()
			return err
		}
		o.now = append(o.now, opened)
	}
	return nil
}

// openOne opens an account.
func (o *openAccounts) openOne(config accountConfig, fingerprinted bool) (openAccount, error) {
	known := &catalog.Account{Name: config.name, Driver: config.driver}
	if fingerprinted {
		known.Fingerprint = config.fingerprint()
	}
	shape := config.budget(known.Fingerprint, o.common)
	shape.SweepShare, shape.SharedTimeout = o.api.readAhead(), o.api.redisTimeout
	allowed := budget.New(shape)
	transport := rest.NewTransport(rest.TransportConfig{
		Provider: config.driver.Name, Account: config.name, Limits: config.driver.Limits, LimitedBy: config.driver.LimitedBy,
		Budget: allowed, Observe: o.see, Log: o.log,
	})
	hangUp := sync.OnceFunc(func() {
		transport.CloseIdleConnections()
		allowed.Close()
	})
	known.Health = transport.Health
	var err error
	known.Provider, err = config.driver.Open(providers.Config{
		Account: config.name, Settings: config.settings, Client: &http.Client{Transport: transport}, MaxBody: int64(o.api.MaxBody),
	})
	if err != nil {
		hangUp()
		return openAccount{}, config.explain(err)
	}
	return openAccount{config, known, hangUp}, nil
}

// known are the accounts as the catalog has them.
func (o *openAccounts) known() []*catalog.Account {
	accounts := make([]*catalog.Account, len(o.now))
	for i, opened := range o.now {
		accounts[i] = opened.known
	}
	return accounts
}

// close hangs up. Nothing uses the accounts any more.
func (o *openAccounts) close() {
	for _, opened := range o.now {
		opened.hangUp()
	}
	for _, retired := range o.old {
		retired.later.Stop()
		retired.hangUp()
	}
}

// renew opens those anew whose settings differ. One that cannot be opened stays as it is.
func (o *openAccounts) renew(known *catalog.Catalog, read []accountConfig) (changed bool, err error) {
	var errs []error
	others := len(read) != len(o.now)
	for i, opened := range o.now {
		at := slices.IndexFunc(read, opened.config.sameName)
		if at < 0 {
			others = true
			continue
		}
		if opened.config.sameSettings(read[at]) {
			continue
		}
		// In this process, too, the name alone would show the new credential what the old one saw.
		next, err := o.openOne(read[at], true)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		known.Renew(next.known)
		o.now[i] = next
		o.retire(opened)
		changed = true
		o.log.Info("the settings of an account are others: it begins anew with them", "account", next.config.String())
	}
	if others {
		errs = append(errs, errors.New("accounts that are added, left out or renamed take a restart"))
	}
	return changed, errors.Join(errs...)
}

// retire hangs up when nothing goes on with the account any more.
func (o *openAccounts) retire(opened openAccount) {
	o.old = append(o.old, &retired{hangUp: opened.hangUp, later: time.AfterFunc(o.lasts, opened.hangUp)})
}
