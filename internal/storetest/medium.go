package storetest

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
)

var mediumTests = map[string]func(*world){
	"a medium is kept in every particular": func(w *world) {
		m := w.medium(one, 7)
		m.Name, m.Type, m.Size, m.UsedAt = "grüße \u2603.csv", "text/csv", 1<<40, w.now.Add(time.Second)
		w.ok(w.CreateMedia(w.ctx, []gateway.Medium{m, w.medium(two, 7)}))
		w.reopen()
		w.same(must[gateway.Medium](w)(w.AnyMedium(w.ctx, m.ID, w.now)), m)
		w.same(must[[]gateway.Medium](w)(w.MediaByID(w.ctx, one, []gateway.ID{m.ID}, w.now)), []gateway.Medium{m})
	},
	"media of an account that does not exist are not stored, and none with them": func(w *world) {
		fine := w.medium(one, 1)
		w.refused(w.CreateMedia(w.ctx, []gateway.Medium{fine, w.medium("MANONENONENONENONENO", 2)}), gateway.Invalid)
		_, err := w.AnyMedium(w.ctx, fine.ID, w.now)
		w.refused(err, gateway.NotFound)
	},
	"media are listed newest first, paged and counted, until they expire": func(w *world) {
		var list []gateway.Medium
		for i := range 5 {
			list = append(list, w.medium(one, byte(i)))
		}
		list[2].ExpiresAt = w.now.Add(time.Minute)
		w.ok(w.CreateMedia(w.ctx, list))
		w.ok(w.CreateMedia(w.ctx, []gateway.Medium{w.medium(two, 9)}))
		slices.Reverse(list)
		w.media(gateway.MediumFilter{Account: one, At: w.now}, 5, list)
		w.media(gateway.MediumFilter{Account: one, At: w.now, Limit: 2, Offset: 1}, 5, list[1:3])
		w.media(gateway.MediumFilter{Account: one, At: w.now, Limit: 2, Offset: 9}, 5, nil)
		later := w.now.Add(time.Minute)
		w.media(gateway.MediumFilter{Account: one, At: later}, 4, slices.Delete(slices.Clone(list), 2, 3))
		w.media(gateway.MediumFilter{Account: "MANONENONENONENONENO", At: w.now}, 0, nil)
		for at, want := range map[time.Time]int64{w.now: 5 * 47343, later: 4 * 47343} {
			w.same(must[int64](w)(w.MediaSize(w.ctx, one, at)), want)
		}
		w.same(must[int64](w)(w.MediaSize(w.ctx, "MANONENONENONENONENO", w.now)), int64(0))
		_, err := w.AnyMedium(w.ctx, list[2].ID, later)
		w.refused(err, gateway.NotFound)
	},
	"media are read by id within their account only": func(w *world) {
		a, b, theirs := w.medium(one, 1), w.medium(one, 2), w.medium(two, 3)
		b.ExpiresAt = w.now.Add(time.Minute)
		w.ok(w.CreateMedia(w.ctx, []gateway.Medium{a, b, theirs}))
		ids := []gateway.ID{b.ID, theirs.ID, a.ID, w.id(), b.ID}
		w.same(must[[]gateway.Medium](w)(w.MediaByID(w.ctx, one, ids, w.now)), []gateway.Medium{b, a, b})
		w.same(must[[]gateway.Medium](w)(w.MediaByID(w.ctx, one, ids, w.now.Add(time.Hour))), []gateway.Medium{a})
		w.same(len(must[[]gateway.Medium](w)(w.MediaByID(w.ctx, one, nil, w.now))), 0)
	},
	"media that are used are kept longer, never shorter": func(w *world) {
		a, b, theirs := w.medium(one, 1), w.medium(one, 2), w.medium(two, 3)
		w.ok(w.CreateMedia(w.ctx, []gateway.Medium{a, b, theirs}))
		year := w.now.AddDate(1, 0, 0)
		for _, id := range []gateway.ID{theirs.ID, w.id()} {
			w.refused(w.UseMedia(w.ctx, one, []gateway.ID{a.ID, id}, w.now, year), gateway.NotFound)
		}
		w.same(must[gateway.Medium](w)(w.AnyMedium(w.ctx, a.ID, w.now)), a) // all or none
		w.ok(w.UseMedia(w.ctx, one, []gateway.ID{a.ID, b.ID, a.ID}, w.now, year))
		a.UsedAt, a.ExpiresAt = w.now, year
		w.same(must[gateway.Medium](w)(w.AnyMedium(w.ctx, a.ID, w.now)), a)
		w.ok(w.UseMedia(w.ctx, one, []gateway.ID{a.ID}, w.now.Add(time.Hour), w.now.Add(2*time.Hour)))
		w.same(must[gateway.Medium](w)(w.AnyMedium(w.ctx, a.ID, w.now)), a)
		w.refused(w.UseMedia(w.ctx, one, []gateway.ID{a.ID}, year, year.Add(time.Hour)), gateway.NotFound) // expired by then
	},
	"a content is an orphan when its last row has expired": func(w *world) {
		a, b, c, d := w.medium(one, 1), w.medium(one, 1), w.medium(two, 1), w.medium(two, 2)
		b.ExpiresAt, c.ExpiresAt = a.ExpiresAt.Add(time.Minute), a.ExpiresAt.Add(time.Hour)
		w.ok(w.CreateMedia(w.ctx, []gateway.Medium{a, b, c, d}))
		named := func(want ...bool) {
			w.Helper()
			for i, want := range want {
				w.same(must[bool](w)(w.ContentNamed(w.ctx, gateway.Content{byte(i + 1)})), want)
			}
		}
		named(true, true, false)
		w.same(w.expire(a.ExpiresAt.Add(-time.Microsecond)), []gateway.Content(nil))
		w.same(w.expire(a.ExpiresAt), []gateway.Content{{2}})
		named(true, false)
		w.same(w.expire(b.ExpiresAt), []gateway.Content(nil))
		named(true)
		w.same(w.expire(c.ExpiresAt), []gateway.Content{{1}})
		named(false, false)
	},
	"many media expire in many steps": func(w *world) {
		const n = 1200
		var list []gateway.Medium
		for i := range n {
			m := w.medium(one, 0)
			m.Content[1], m.Content[2] = byte(i), byte(i>>8)
			list = append(list, m)
		}
		w.ok(w.CreateMedia(w.ctx, list))
		first, more, err := w.ExpireMedia(w.ctx, list[0].ExpiresAt)
		w.ok(err)
		if !more || len(first) == n {
			w.Fatalf("%d expire in one step, more: %v", len(first), more)
		}
		w.same(len(first)+len(w.expire(list[0].ExpiresAt)), n)
		w.media(gateway.MediumFilter{Account: one, At: w.now}, 0, nil)
	},
	"a message forgets its media when it has left": func(w *world) {
		m, other := w.message(), w.message()
		for _, m := range []*gateway.Message{m, other} {
			m.MediaIDs, m.MediaURLs = []string{w.id().String()}, []string{"https://example.com/a.gif"}
			w.accept(m)
		}
		w.refused(w.ForgetMedia(w.ctx, one, m.ID), gateway.Conflict)
		w.refused(w.ForgetMedia(w.ctx, two, m.ID), gateway.NotFound)
		w.refused(w.ForgetMedia(w.ctx, one, w.id()), gateway.NotFound)
		w.same(w.stored(m).MediaIDs, m.MediaIDs)
		w.record(w.settled(m, 1, w.taken(1, "a")))
		w.ok(w.ForgetMedia(w.ctx, one, m.ID))
		s := w.stored(m)
		w.same([]any{s.MediaIDs, s.MediaURLs, s.Text}, []any{[]string(nil), []string(nil), m.Text})
		w.same(w.stored(other).MediaIDs, other.MediaIDs)
		w.receipt(w.delivered("a")) // and goes on
		w.state(m, gateway.Delivered, 3)
	},
	"media of a removed subaccount go to its main account, or with cascade away": func(w *world) {
		for _, cascade := range []bool{false, true} {
			id := map[bool]gateway.AccountID{false: sub, true: subToo}[cascade]
			w.subaccount(id)
			m := w.medium(id, 5)
			w.ok(w.CreateMedia(w.ctx, []gateway.Medium{m}))
			w.ok(w.RemoveSubaccount(w.ctx, one, id, cascade, w.now))
			found := must[[]gateway.Medium](w)(w.MediaByID(w.ctx, one, []gateway.ID{m.ID}, w.now))
			if cascade {
				_, err := w.AnyMedium(w.ctx, m.ID, w.now)
				w.refused(err, gateway.NotFound)
				w.same(len(found), 0)
				continue
			}
			m.Account = one
			w.same(found, []gateway.Medium{m})
		}
	},
	"a random history of media agrees with a model": func(w *world) {
		// A store of its own for each history would take long; each goes on where the last one ended.
		var model []gateway.Medium
		rapid.Check(w.failing.(rapid.TB), func(rt *rapid.T) {
			for range rapid.IntRange(1, 8).Draw(rt, "steps") {
				w.now = w.now.Add(time.Duration(rapid.IntRange(0, 3).Draw(rt, "hours")) * time.Hour)
				account := rapid.SampledFrom(accounts).Draw(rt, "account")
				switch rapid.IntRange(0, 2).Draw(rt, "step") {
				case 0:
					m := w.medium(account, rapid.ByteRange(0, 3).Draw(rt, "content"))
					m.ExpiresAt = w.now.Add(time.Duration(rapid.IntRange(1, 9).Draw(rt, "life")) * time.Hour)
					w.ok(w.CreateMedia(w.ctx, []gateway.Medium{m}))
					model = append(model, m)
				case 1:
					if len(model) == 0 {
						continue
					}
					m := &model[rapid.IntRange(0, len(model)-1).Draw(rt, "medium")]
					err := w.UseMedia(w.ctx, m.Account, []gateway.ID{m.ID}, w.now, w.now.Add(9*time.Hour))
					if (err == nil) != m.ExpiresAt.After(w.now) {
						rt.Fatalf("use of %+v at %v: %v", m, w.now, err)
					}
					if err == nil {
						m.ExpiresAt = w.now.Add(9 * time.Hour)
					}
				case 2:
					before := contentsOf(model)
					model = slices.DeleteFunc(model, func(m gateway.Medium) bool { return !m.ExpiresAt.After(w.now) })
					want := fmt.Sprint(gone(before, contentsOf(model)))
					if got := fmt.Sprint(gone(contentSet(w.expire(w.now)), nil)); got != want {
						rt.Fatalf("orphans %s, want %s", got, want)
					}
				}
			}
		})
	},
}

// medium makes a medium that is in no store yet; the content is a small number.
func (w *world) medium(account gateway.AccountID, content byte) gateway.Medium {
	return gateway.Medium{
		ID: w.id(), Account: account, Content: gateway.Content{content}, Name: "a.png", Type: "image/png", Size: 47343,
		CreatedAt: w.now, ExpiresAt: w.now.Add(6 * time.Hour),
	}
}

// media fails the test unless a list is as it should be.
func (w *world) media(filter gateway.MediumFilter, total int, want []gateway.Medium) {
	w.Helper()
	list, n, err := w.Media(w.ctx, filter)
	w.ok(err)
	w.same(list, want)
	w.same(n, total)
}

// expire removes all rows that have expired and gives the contents that no row names any more.
func (w *world) expire(before time.Time) (orphans []gateway.Content) {
	w.Helper()
	for more := true; more; {
		some, again, err := w.ExpireMedia(w.ctx, before)
		w.ok(err)
		orphans, more = append(orphans, some...), again
	}
	return orphans
}

func contentsOf(list []gateway.Medium) map[gateway.Content]bool {
	set := map[gateway.Content]bool{}
	for _, m := range list {
		set[m.Content] = true
	}
	return set
}

func contentSet(list []gateway.Content) map[gateway.Content]bool {
	set := map[gateway.Content]bool{}
	for _, content := range list {
		set[content] = true
	}
	return set
}

// gone are the contents of one set that are not in another, in order.
func gone(from, without map[gateway.Content]bool) []string {
	list := []string{}
	for content := range from {
		if !without[content] {
			list = append(list, content.String())
		}
	}
	slices.Sort(list)
	return list
}
