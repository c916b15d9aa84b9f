package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// termsKept is how long the last term of an office is remembered; the clock has passed it by far until then.
const termsKept = 24 * time.Hour

// officeRecord is who holds an office: the record's mark tells the process.
type officeRecord struct {
	Term uint64 `json:"term"`
}

func (r officeRecord) whole() bool { return r.Term > 0 }

// Lead implements Ledger.
func (r *Redis) Lead(ctx context.Context, office string, life time.Duration) (term uint64, mine bool, err error) {
	keys := []string{r.officeKey("holder", office), r.officeKey("term", office)}
	answer, err := r.write(ctx, scripts.lead, keys, r.holding(), milliseconds(life), milliseconds(termsKept))
	if err != nil {
		return 0, false, trouble(ctx, err)
	}
	holder, _ := answer.(string)
	record, err := decode[officeRecord](holder)
	if err != nil {
		return 0, false, err
	}
	if !strings.HasPrefix(holder, r.holding()) {
		return 0, false, nil
	}
	return record.Term, true, nil
}

// Resign implements Ledger.
func (r *Redis) Resign(ctx context.Context, office string, term uint64) error {
	bounded, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	mine := fmt.Sprintf("%s%d}}", r.holding(), term)
	err := scripts.drop.Run(bounded, r.client, []string{r.officeKey("holder", office)}, mine).Err()
	return trouble(ctx, err)
}

// holding begins the record of an office that this process holds. Its term follows, which the script adds.
func (r *Redis) holding() string {
	return fmt.Sprintf(`{"v":%d,"mark":"%s","body":{"term":`, recordVersion, r.mark)
}
