package ledger

import (
	"context"
	"strconv"
	"time"

	"regtok/providers"
)

// Schedule implements Ledger.
func (r *Redis) Schedule(ctx context.Context, deletion Deletion) error {
	member := deletion.Token.String()
	if member == "" {
		return errUnencodable
	}
	return r.enter(ctx, scripts.schedule, r.scheduleKeys(), member, firstMilli(deletion.At), deletion.By)
}

// Unschedule implements Ledger.
func (r *Redis) Unschedule(ctx context.Context, token providers.ID) error {
	return r.enter(ctx, scripts.unschedule, r.scheduleKeys(), token.String())
}

// TakeDue implements Ledger. Times are those of whoever calls it: all processes' clocks should agree to some seconds.
func (r *Redis) TakeDue(ctx context.Context, now time.Time, limit int, lease time.Duration) (due []Deletion, next time.Time, err error) {
	answer, err := r.write(ctx, scripts.takeDue, r.scheduleKeys(), now.UnixMilli(), max(limit, 0), firstMilli(now.Add(lease)))
	if err != nil {
		return nil, time.Time{}, trouble(ctx, err)
	}
	list, _ := answer.([]any)
	texts := make([]string, len(list))
	for i, text := range list {
		texts[i], _ = text.(string)
	}
	if len(texts)%3 != 1 {
		return nil, time.Time{}, errUnreadable
	}
	if texts[0] != "" {
		if next, err = timeOf(texts[0]); err != nil {
			return nil, time.Time{}, err
		}
	}
	for i := 1; i < len(texts); i += 3 {
		token, err := providers.ParseID(texts[i])
		if err != nil {
			continue // nobody can delete it; and it must not keep the others
		}
		at, err := timeOf(texts[i+1])
		if err != nil {
			return nil, time.Time{}, err
		}
		due = append(due, Deletion{Token: token, At: at, By: texts[i+2]})
	}
	return due, next, nil
}

// firstMilli is the first whole millisecond that is not before t.
func firstMilli(t time.Time) int64 {
	milli := t.UnixMilli()
	if t.After(time.UnixMilli(milli)) {
		milli++
	}
	return milli
}

// timeOf reads a score.
func timeOf(score string) (time.Time, error) {
	milli, err := strconv.ParseFloat(score, 64)
	if err != nil {
		return time.Time{}, errUnreadable
	}
	return time.UnixMilli(int64(milli)).UTC(), nil
}
