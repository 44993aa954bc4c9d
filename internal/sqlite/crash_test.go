package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// crashFolder is set in the environment of the process that is to be killed: the folder of its store.
const crashFolder = "HELIOGRAPH_TEST_CRASH_FOLDER"

// keepCommitting opens the store of a folder, takes batches of messages through their lives and receives others, saying on standard output what it is about
// to do and what the store has acknowledged, until it is killed.
func keepCommitting(dir string) error {
	ctx := context.Background()
	s, err := Open(ctx, Options{Dir: dir, Key: testKey, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	l := newLife("http://127.0.0.1:9000/status")
	l.price = gateway.Price{Rate: 550, Fee: 300}
	last, err := s.LastSeq(ctx)
	if err != nil {
		return err
	}
	l.ids.Resume(last)
	say := func(what string, batch []*gateway.Submission) {
		ids := make([]string, len(batch))
		for i, sub := range batch {
			ids[i] = sub.Messages[0].ID.String()
		}
		sayIDs(what, ids)
	}
	for {
		batch := l.submissions(1 + rand.IntN(60))
		say("trying", batch)
		if _, err := s.InsertMessages(ctx, batch); err != nil {
			return err
		}
		say("queued", batch)
		list, receipts := records(batch)
		if _, err := s.RecordSubmits(ctx, list); err != nil {
			return err
		}
		say("sent", batch)
		if _, err := s.ApplyReceipts(ctx, receipts); err != nil {
			return err
		}
		say("delivered", batch)
		if err := l.receiveSome(ctx, s); err != nil {
			return err
		}
	}
}

func sayIDs(what string, ids []string) { fmt.Fprintln(os.Stdout, what, strings.Join(ids, " ")) }

// receiveSome receives messages of two segments each: their first segments, but for one, in a batch, and the rest in another.
func (l *life) receiveSome(ctx context.Context, s *Store) error {
	parts := l.inbound(1 + rand.IntN(30))
	var ids []string
	var made []gateway.ID
	for i := range parts {
		parts[i].To, parts[i].Reference, parts[i].Number, parts[i].Total = benchSender(0), uint32(l.made-i), 1, 2
		made = append(made, l.ids.Next(time.Now()))
		ids = append(ids, made[i].String())
	}
	next := 0
	receive := func(parts []gateway.InboundPart, to *gateway.Recipient) gateway.Arrival {
		arrival := l.receive(parts, to)
		arrival.Message.ID, arrival.Message.Price = made[next], l.price
		next++
		return arrival
	}
	if _, err := s.AddInboundParts(ctx, parts[1:], receive); err != nil {
		return err
	}
	rest := parts[:1]
	for _, part := range parts {
		part.Number, part.Identity = 2, gateway.PartIdentity{}
		rest = append(rest[:len(rest):len(rest)], part)
	}
	sayIDs("arriving", ids)
	if _, err := s.AddInboundParts(ctx, rest, receive); err != nil {
		return err
	}
	sayIDs("received", ids)
	return nil
}

// A process is killed in the midst of its work, again and again: what it was told is stored is there, and no batch is half there.
func TestKilled(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	s := openIn(t, dir, slog.New(slog.DiscardHandler))
	must(t, s.CreateAccount(ctx, gateway.Account{ID: benchAccount, CreatedAt: time.Now()}))
	must(t, s.CreateApplication(ctx, gateway.Application{ID: "1", Account: benchAccount, Message: newLife("http://127.0.0.1:9000/status").callback, LogIncoming: true}))
	must(t, s.PutNumbers(ctx, benchNumbers(1)))
	application := "1"
	must(t, s.ChangeNumber(ctx, benchAccount, benchSender(0), gateway.NumberChange{Application: &application}))
	must(t, s.Close())
	said := map[string][][]string{}
	for range 6 {
		killOne(t, dir, 1+rand.IntN(60), said)
		s := openIn(t, dir, slog.New(slog.DiscardHandler))
		checkSaid(t, s, said)
		must(t, s.Close())
	}
}

// killOne runs the process until it has said so many lines, kills it and gathers all that it said.
func killOne(t *testing.T, dir string, lines int, said map[string][][]string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashFolder+"="+dir)
	child.Stderr = os.Stderr
	output, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	reader := bufio.NewReader(output)
	for n := 1; ; n++ {
		line, err := reader.ReadString('\n')
		if err != nil { // the last line may be a part of one: it was not said
			break
		}
		if n == lines {
			must(t, child.Process.Kill())
		}
		words := strings.Fields(line)
		said[words[0]] = append(said[words[0]], words[1:])
	}
	if err := child.Wait(); err == nil || child.ProcessState.ExitCode() != -1 {
		t.Fatalf("the process was to be killed and ended with %v", err)
	}
}

func checkSaid(t *testing.T, s *Store, said map[string][][]string) {
	t.Helper()
	atLeast := map[string]gateway.State{"queued": gateway.Queued, "sent": gateway.Sent, "delivered": gateway.Delivered, "received": gateway.Received}
	for what, state := range atLeast {
		for _, batch := range said[what] {
			for _, id := range batch {
				if m := find(t, s, id); m == nil || m.State < state {
					t.Fatalf("message %s was said to be %s and is %v", id, what, m)
				}
			}
		}
	}
	events := map[gateway.ID]int{}
	fresh, err := s.FreshEvents(context.Background(), gateway.EndpointOf(benchAccount, "http://127.0.0.1:9000/status"), 0, 1<<20)
	must(t, err)
	for _, e := range fresh {
		events[e.Message.ID]++
	}
	var owed, held gateway.Money
	for _, batch := range slices.Concat(said["trying"], said["arriving"]) {
		first := find(t, s, batch[0])
		for _, id := range batch {
			m := find(t, s, id)
			if (m == nil) != (first == nil) || m != nil && m.State != first.State {
				t.Fatalf("a batch is half there: %v and %v", first, m)
			}
			if m != nil && events[m.ID] != m.Sequence {
				t.Fatalf("message %s has moved %d times and has %d events", id, m.Sequence, events[m.ID])
			}
			switch {
			case m == nil:
			case m.State == gateway.Queued:
				held += m.Cost()
			default:
				owed += m.Cost()
			}
		}
	}
	if w, err := s.Wallet(context.Background(), benchAccount); err != nil || w.Balance != -owed || w.Held != held {
		t.Fatalf("the account has %+v, %v; it owes %s, and holds %s", w, err, owed, held)
	}
}

func find(t *testing.T, s *Store, text string) *gateway.Message {
	t.Helper()
	id, ok := gateway.ParseID(text)
	if !ok {
		t.Fatalf("%q is no id", text)
	}
	list, err := s.Message(context.Background(), benchAccount, id)
	if err != nil {
		refused(t, err, gateway.NotFound)
		return nil
	}
	return list
}
