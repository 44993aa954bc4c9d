package operator

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// optOuts is the fixture's store of opt-outs.
type optOuts struct {
	list    []gateway.OptOut // in the order of their times
	records []gateway.OptOutRecord
	heard   []gateway.OptOutChange // by what waits to be sent
	pages   int
	media   []gateway.ID // that the account has
	brought []Handset
}

func fits(f *gateway.OptOutFilter, o *gateway.OptOut) bool {
	return (f.Account == "" || f.Account == o.Account) && (f.Source == "" || f.Source == o.Source) && (f.Person == "" || f.Person == o.Person) &&
		!o.At.Before(f.After) && (f.Before.IsZero() || o.At.Before(f.Before))
}

func (f *fixture) OptOuts(_ context.Context, filter gateway.OptOutFilter) ([]gateway.OptOut, int, error) {
	f.optOuts.pages++
	var found []gateway.OptOut
	for i := range f.optOuts.list {
		if o := &f.optOuts.list[i]; fits(&filter, o) {
			found = append(found, *o)
		}
	}
	slices.SortStableFunc(found, func(a, b gateway.OptOut) int { return b.At.Compare(a.At) })
	page := found[min(filter.Offset, len(found)):]
	return page[:min(filter.Limit, len(page))], len(found), f.fail
}

func (f *fixture) OptOutRecords(_ context.Context, filter gateway.OptOutFilter) ([]gateway.OptOutRecord, int, error) {
	var found []gateway.OptOutRecord
	for i := range f.optOuts.records {
		if r := &f.optOuts.records[i]; fits(&filter, &r.OptOut) {
			found = append(found, *r)
		}
	}
	slices.SortFunc(found, func(a, b gateway.OptOutRecord) int { return cmp.Compare(b.ID, a.ID) })
	page := found[min(filter.Offset, len(found)):]
	return page[:min(filter.Limit, len(page))], len(found), f.fail
}

func (f *fixture) ChangeOptOuts(_ context.Context, changes []gateway.OptOutChange) ([]bool, error) {
	changed := make([]bool, len(changes))
	for i, c := range changes {
		if !slices.ContainsFunc(f.accounts, func(a gateway.Account) bool { return a.ID == c.Account }) && f.fail == nil {
			return nil, gateway.Errorf(gateway.NotFound, "account %s not found", c.Account)
		}
		at := slices.IndexFunc(f.optOuts.list, func(o gateway.OptOut) bool {
			return o.Account == c.Account && o.Source == c.Source && o.Person == c.Person
		})
		if changed[i] = c.In == (at >= 0); !changed[i] || f.fail != nil {
			continue
		}
		if c.In {
			f.optOuts.list = slices.Delete(f.optOuts.list, at, at+1)
		} else {
			f.optOuts.list = append(f.optOuts.list, c.OptOut)
		}
		f.optOuts.records = append(f.optOuts.records, gateway.OptOutRecord{ID: int64(len(f.optOuts.records) + 1), OptOutChange: c})
	}
	return changed, f.fail
}

func (f *fixture) MediaByID(_ context.Context, account gateway.AccountID, ids []gateway.ID, _ time.Time) ([]gateway.Medium, error) {
	var found []gateway.Medium
	for _, id := range ids {
		if account == anAccount && slices.Contains(f.optOuts.media, id) {
			found = append(found, gateway.Medium{ID: id})
		}
	}
	return found, f.fail
}
