package ledger_test

import (
	"testing"
	"testing/synctest"
	"time"

	"regtok/ledger"
	"regtok/ledger/ledgertest"
)

func TestTheLedgerInMemory(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T, run func(*testing.T, ledgertest.World)) {
		synctest.Test(t, func(t *testing.T) {
			memory := ledger.NewMemory()
			run(t, ledgertest.World{Connect: func() ledger.Ledger { return memory }, Pass: time.Sleep})
		})
	})
}
