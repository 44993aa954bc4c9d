package gateway

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// scan is the choice of a sender as the rules say it, by looking at every sender: the specification that the index is held against.
type scan struct {
	*Powerpack
	pool      []Number
	load      []Load
	rests     [][]string // markets
	carriers  map[string]Condition
	campaigns map[string]int64 // from when on they let anything leave
	worst     Condition        // that a sender may be in
}

// outside is what the scan knows of carriers and campaigns.
func (s *scan) outside() Outside {
	return Outside{
		Condition: func(carrier string) Condition { return s.carriers[carrier] },
		Campaign:  func(id string) int64 { return s.campaigns[id] },
	}
}

// freeAt is when the message would leave from a sender: when itself, its campaign and the account let it.
func (s *scan) freeAt(i int, req Request) int64 {
	return max(s.load[i].FreeAt(req.Now), s.campaigns[s.pool[i].Campaign], req.Earliest)
}

func (s scan) choose(req Request) (Choice, bool) {
	for _, s.worst = range []Condition{Up, Down, Missing} {
		if choice, ok := s.pick(req); ok {
			return choice, true
		}
	}
	return Choice{}, false
}

// hidden tells whether the sender does not come up.
func (s *scan) hidden(i int, req Request) bool {
	rests := slices.Contains(s.rests[i], Market(req.To.Country))
	return rests && s.worst == Up || s.carriers[s.pool[i].Carrier] > s.worst
}

func (s *scan) pick(req Request) (Choice, bool) {
	for i := range s.pool {
		if s.Sticky && s.pool[i].Number == req.Sticky && s.canCarry(i, req) && !s.hidden(i, req) && s.freeAt(i, req) < req.Deadline {
			return Choice{Index: i, Rule: BySticky, FreeAt: s.freeAt(i, req)}, true
		}
	}
	order, named := DefaultOrder, false
	for _, priority := range s.Priorities {
		if priority.Service == req.Service && priority.Country == Market(req.To.Country) {
			order, named = priority.Order, true
			break
		}
	}
	patience := s.Patience
	if patience == 0 {
		patience = DefaultPatience
	}
	for _, latest := range []int64{min(req.Deadline, req.Now+int64(patience)), req.Deadline} {
		if choice, ok := s.inOrder(order[:], req, latest); ok {
			return choice, true
		}
	}
	if named {
		return Choice{}, false
	}
	choice, ok := s.inOrder([]NumberType{Alphanumeric}, req, req.Deadline)
	if ok && (s.hasType(ShortCode, req) || s.hasType(TollFree, req) || s.hasType(LongCode, req)) {
		choice.Rule = ByNextPriority
	}
	return choice, ok
}

// canCarry says on its own what Number.Carries says, and that it is not paused.
func (s *scan) canCarry(i int, req Request) bool {
	n := &s.pool[i]
	if n.Paused || !n.Services.Has(req.Service) || n.Number == req.To.Number {
		return false
	}
	from, to := Market(n.Country), Market(req.To.Country)
	switch n.Type {
	case ShortCode:
		return from == to
	case TollFree:
		return from == to || (from == "CA" && to == "US")
	case LongCode:
		return from == to || (isUSCA(from) && isUSCA(to)) || !isUSCA(to)
	}
	return !isUSCA(to)
}

func (s *scan) hasType(t NumberType, req Request) bool {
	for i := range s.pool {
		if s.pool[i].Type == t && s.canCarry(i, req) {
			return true
		}
	}
	return false
}

// inOrder takes the best sender of the first type in the order that has one free before latest.
func (s *scan) inOrder(order []NumberType, req Request, latest int64) (Choice, bool) {
	first := true
	for _, t := range order {
		best, bestNear := Choice{Index: -1}, 0
		for i := range s.pool {
			at := s.freeAt(i, req)
			if s.pool[i].Type != t || !s.canCarry(i, req) || s.hidden(i, req) || at >= latest {
				continue
			}
			near := s.nearness(i, req)
			if best.Index < 0 || near > bestNear || near == bestNear && s.sooner(i, best.Index, req) {
				best, bestNear = Choice{Index: i, FreeAt: at}, near
			}
		}
		if best.Index >= 0 {
			best.Rule = cmp.Or(s.near(best.Index, req), ByPriority)
			if !first {
				best.Rule = ByNextPriority
			}
			return best, true
		}
		first = first && !s.hasType(t, req)
	}
	return Choice{}, false
}

// sooner is what decides between two senders that are equal in all else but their places in the pool.
func (s *scan) sooner(i, than int, req Request) bool {
	return cmp.Or(
		cmp.Compare(s.freeAt(i, req), s.freeAt(than, req)), cmp.Compare(s.load[i].FreeAt(req.Now), s.load[than].FreeAt(req.Now)),
		cmp.Compare(s.load[i].Used, s.load[than].Used),
	) < 0
}

// nearness is how near a long code of the US or Canada is to the destination: by area, by region, by country.
func (s *scan) nearness(i int, req Request) int {
	switch s.near(i, req) {
	case BySameArea:
		return 3
	case BySameRegion:
		return 2
	}
	n, to := &s.pool[i], Market(req.To.Country)
	if s.LocalConnect && n.Type == LongCode && isUSCA(to) && Market(n.Country) == to {
		return 1
	}
	return 0
}

func (s *scan) near(i int, req Request) Rule {
	n, to := &s.pool[i], &req.To
	switch {
	case !s.LocalConnect || n.Type != LongCode || !isUSCA(Market(to.Country)):
		return NoRule
	case n.AreaCode != "" && n.AreaCode == to.AreaCode:
		return BySameArea
	case n.Region != "" && n.Region == to.Region && n.Country == to.Country:
		return BySameRegion
	}
	return NoRule
}

// chance is where a random life takes its turns from: one seed that rapid draws. Its own draws would be small and alike too often for the
// last rules of the choice to matter.
type chance struct{ *rand.Rand }

func drawChance(t *rapid.T) chance {
	return chance{rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))}
}

func oneOf[T any](c chance, from ...T) T { return from[c.IntN(len(from))] }

// some takes a few of the values, so that there is a life in which all senders are alike, and one in which no two are.
func some[T any](c chance, from ...T) []T {
	few := make([]T, 1+c.IntN(len(from)))
	for i := range few {
		few[i] = oneOf(c, from...)
	}
	return few
}

func (c chance) pool() []Number {
	pool := make([]Number, oneOf(c, 0, 1, 3, 20, 60, 200))
	types := some(c, LongCode, TollFree, ShortCode, Alphanumeric)
	countries, regions := some(c, "US", "US", "CA", "PR", "GB", "FR"), some(c, "", "CA", "NY", "ON")
	areas, carriers := some(c, "", "415", "212", "416"), some(c, "", "net1", "net2", "net3")
	services, campaigns := some(c, Services(SMS), Services(MMS), Services(SMS, MMS)), some(c, "", "C1", "C2", "C3")
	for i := range pool {
		pool[i] = Number{
			Number: fmt.Sprint("1415555", 1000+i), Type: oneOf(c, types...), Country: oneOf(c, countries...), Region: oneOf(c, regions...),
			AreaCode: oneOf(c, areas...), Carrier: oneOf(c, carriers...), Services: oneOf(c, services...),
			Campaign: oneOf(c, campaigns...), Paused: c.IntN(10) == 0,
		}
	}
	return pool
}

// load is that of a sender that is ready or, where most are busy, of one that mostly is not.
func (c chance) load(now int64, busy bool) Load {
	seconds := func() int64 { return oneOf[int64](c, 0, 1, 2, 30, 61, 100) * second }
	l := Load{Free: oneOf(c, 0, now-second, now), Backlog: seconds(), Used: c.Int64N(5)}
	if busy && c.IntN(10) > 0 {
		l.Free = now + 1 + seconds()
	}
	return l
}

// rests are the markets in which a sender rests: mostly none.
func (c chance) rests() []string {
	if c.IntN(5) > 0 {
		return nil
	}
	return some(c, "US", "US", "CA", "GB")
}

// hold is until when a campaign or an account lets nothing leave.
func (c chance) hold(now int64) int64 {
	return oneOf(c, 0, now-second, now+1, now+second, now+30*second, now+61*second, now+1000*second)
}

func (c chance) pack() *Powerpack {
	p := &Powerpack{Sticky: oneOf(c, true, false), LocalConnect: oneOf(c, true, false), Patience: oneOf(c, 0, 0, time.Second, 90*time.Second)}
	kind := func() NumberType { return oneOf(c, 0, LongCode, TollFree, ShortCode, Alphanumeric) }
	for range c.IntN(3) {
		p.Priorities = append(p.Priorities, Priority{
			Service: oneOf(c, SMS, MMS), Country: oneOf(c, "US", "CA", "GB"), Order: [3]NumberType{kind(), kind(), kind()},
		})
	}
	return p
}

func (c chance) request(pool []Number, now int64) Request {
	req := Request{
		To:      oneOf(c, sanFrancisco, sanFrancisco, toronto, sanJuan, london, Destination{Number: "9"}),
		Service: oneOf(c, SMS, SMS, MMS), Now: now, Deadline: now + oneOf[int64](c, 1, 30, 62*second, 1000*second, 1000*second),
	}
	if c.IntN(4) == 0 {
		req.Earliest = c.hold(now)
	}
	if len(pool) > 0 {
		if c.IntN(4) == 0 {
			req.Sticky = oneOf(c, pool...).Number
		}
		if c.IntN(4) == 0 {
			req.To.Number = oneOf(c, pool...).Number
		}
	}
	return req
}

// TestPoolPicksAsTheScanDoes lives through random changes of load, carriers and time. Ties are broken alike, by the place in the pool, so
// the choices must be the same.
func TestPoolPicksAsTheScanDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawChance(t)
		numbers, now, busy := c.pool(), int64(1000*second), oneOf(c, true, false)
		pool, pack := NewPool(numbers), c.pack()
		s := scan{
			Powerpack: pack, pool: numbers, load: make([]Load, len(numbers)), rests: make([][]string, len(numbers)),
			carriers: map[string]Condition{}, campaigns: map[string]int64{},
		}
		for i := range numbers {
			s.load[i], s.rests[i] = c.load(now, busy), c.rests()
			pool.Set(i, s.load[i])
			pool.Rest(i, s.rests[i])
		}
		for range 100 {
			switch c.IntN(6) {
			case 0, 1:
				if len(numbers) > 0 {
					i := c.IntN(len(numbers))
					s.load[i], s.rests[i] = c.load(now, busy), c.rests()
					pool.Set(i, s.load[i])
					pool.Rest(i, s.rests[i])
				}
			case 2:
				pool = pool.Clone()
			case 4:
				s.campaigns[oneOf(c, "C1", "C2", "C3")] = c.hold(now)
			case 5:
				now += oneOf[int64](c, 1, second, 29*second, -7*second)
			case 3:
				s.carriers[oneOf(c, "net1", "net2", "net3")] = oneOf(c, Up, Down, Missing)
			}
			req := c.request(numbers, now)
			want, wantOK := s.choose(req)
			got, ok := pack.Pick(pool, req, s.outside())
			if got != want || ok != wantOK {
				t.Fatalf("got %+v, %v, want %+v, %v", got, ok, want, wantOK)
			}
			checkSuits(t, &s, pool, req)
		}
		if err := pool.check(); err != nil {
			t.Fatal(err)
		}
	})
}

// checkSuits holds Suits against what Pick does when everybody is free and open.
func checkSuits(t *rapid.T, s *scan, pool *Pool, req Request) {
	idle := *s
	idle.load, idle.rests, idle.carriers, idle.campaigns, req.Earliest = make([]Load, len(s.pool)), make([][]string, len(s.pool)), nil, nil, 0
	if _, want := idle.choose(req); s.Suits(pool, req) != want {
		t.Fatalf("suits: %v", !want)
	}
}

// check tells what is wrong with the trees.
func (p *Pool) check() error {
	for g := range p.groups {
		size := 0
		for w, ward := range append([]ward{{root: p.groups[g].root}}, p.groups[g].wards...) {
			order := p.inOrder(ward.root)
			if len(order) == 0 && w > 0 {
				return fmt.Errorf("group %d, ward %d is empty", g, w)
			}
			for k, n := range order {
				size++
				if i := senderOf(n); p.in[i][n%levels] != int32(g) || !slices.Equal(p.rests[i], ward.markets) {
					return fmt.Errorf("sender %d is in group %d, ward %d", i, g, w)
				}
				if k > 0 && !p.before(order[k-1], n) {
					return fmt.Errorf("group %d, ward %d is out of order", g, w)
				}
			}
		}
		if size != p.groups[g].size {
			return fmt.Errorf("group %d has %d of %d senders", g, size, p.groups[g].size)
		}
	}
	return nil
}

func (p *Pool) inOrder(root int32) []int32 {
	if root == none {
		return nil
	}
	at := p.nodes[root]
	return append(append(p.inOrder(at.left), root), p.inOrder(at.right)...)
}

// TestPoolClone: what happens to a copy does not happen to the pool.
func TestPoolClone(t *testing.T) {
	pool := NewPool([]Number{near, inState, faraway})
	pool.Set(0, Load{Free: 5 * second})
	pool.Rest(1, []string{"CA"})
	c := pool.Clone()
	for i := range c.Len() {
		c.Set(i, Load{Free: int64(9-i) * second})
	}
	c.Rest(1, []string{"US"})
	c.Rest(2, []string{"CA"})
	if pool.Load(0).Free != 5*second || pool.Rests(1, "US") || !pool.Rests(1, "CA") || pool.Rests(2, "CA") || pool.check() != nil || c.check() != nil {
		t.Errorf("%+v, %v, %v", pool.loads, pool.check(), c.check())
	}
	choice, _ := (&Powerpack{}).Pick(pool, Request{To: sanFrancisco, Service: SMS, Deadline: 60 * second}, Outside{})
	if choice.Index != 1 {
		t.Errorf("%+v", choice)
	}
}

func TestPoolNames(t *testing.T) {
	a, b, c := near, inState, faraway
	a.Carrier, a.Campaign, b.Carrier, c.Campaign, c.Paused = "net2", "C1", "net1", "C2", true
	pool := NewPool([]Number{a, b, c, sc, inCampaign(tf)})
	if carriers, campaigns := pool.Carriers(), pool.Campaigns(); !slices.Equal(carriers, []string{"net2", "net1"}) || !slices.Equal(campaigns, []string{"C1", "C2"}) {
		t.Errorf("%q, %q", carriers, campaigns)
	}
}

// TestTreeStaysShallow: a pick costs as little after many changes in an unkind order as at first.
func TestTreeStaysShallow(t *testing.T) {
	const size = 10_000
	pool := NewPool(manyLongCodes(size))
	for round := range 3 {
		for i := range size {
			pool.Set(i, Load{Free: int64(round*size + i)})
		}
		if depth := pool.depth(pool.groups[pool.in[0][ofClass]].root); depth > 60 {
			t.Errorf("%d levels of %d senders", depth, size)
		}
	}
}

func (p *Pool) depth(root int32) int {
	if root == none {
		return 0
	}
	return 1 + max(p.depth(p.nodes[root].left), p.depth(p.nodes[root].right))
}

// manyLongCodes are spread over 40 area codes of 10 states.
func manyLongCodes(size int) []Number {
	numbers := make([]Number, size)
	for i := range numbers {
		area := i % 40
		numbers[i] = long(fmt.Sprintf("1%d%07d", 400+area, i), fmt.Sprint(400+area), fmt.Sprint("S", area/4))
	}
	return numbers
}

// inCampaigns makes the numbers belong to so many campaigns.
func inCampaigns(numbers []Number, campaigns int) []Number {
	for i := range numbers {
		if campaigns > 0 {
			numbers[i].Campaign = fmt.Sprint("C", i*7919%campaigns)
		}
	}
	return numbers
}

func TestPickAllocatesNothing(t *testing.T) {
	pool := NewPool(inCampaigns(manyLongCodes(1000), 10))
	for i := 0; i < pool.Len(); i += 20 {
		pool.Rest(i, []string{"US"})
	}
	outside := Outside{Condition: func(string) Condition { return Up }, Campaign: func(id string) int64 { return int64(len(id)) }}
	pack, turn := &Powerpack{LocalConnect: true}, int64(0)
	to := Destination{Number: "14155550123", Country: "US", Region: "S3", AreaCode: "415"}
	if n := testing.AllocsPerRun(100, func() {
		choice, _ := pack.Pick(pool, Request{To: to, Service: SMS, Deadline: second}, outside)
		turn++
		pool.Set(choice.Index, Load{Free: turn, Used: turn})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkPick is a choice and what it changes of the sender.
func BenchmarkPick(b *testing.B) {
	local := Destination{Number: "14155550123", Country: "US", Region: "S3", AreaCode: "415"}
	for _, size := range []int{100, 10_000} {
		for _, c := range []struct {
			name      string
			busy      int // every how many-th sender
			local     bool
			campaigns int // negative: all are free after the deadline
			resting   int // every how many-th sender
		}{
			{"free", 0, false, 0, 0},
			{"half busy", 2, false, 0, 0},
			{"local", 2, true, 0, 0},
			{"100 campaigns", 2, false, 100, 0},
			{"100 campaigns, local", 2, true, 100, 0},
			{"5 % rest", 2, false, 0, 20},
			{"a third rests", 2, false, 0, 3},
			{"100 campaigns, 5 % rest, local", 2, true, 100, 20},
			{"100 campaigns, none free in time", 2, true, -100, 0},
		} {
			b.Run(fmt.Sprint(c.name, "/", size), func(b *testing.B) {
				pool, now := NewPool(inCampaigns(manyLongCodes(size), max(c.campaigns, -c.campaigns))), int64(1000*second)
				free := map[string]int64{}
				for i, id := range pool.Campaigns() {
					free[id] = now + int64(i%10)*second
					if c.campaigns < 0 {
						free[id] = now + 200*second
					}
				}
				outside := Outside{Campaign: func(id string) int64 { return free[id] }}
				random := rand.New(rand.NewPCG(1, 1))
				for i := range size {
					l := Load{Used: random.Int64N(int64(size))}
					if c.busy > 0 && i%c.busy == 0 {
						l.Free, l.Backlog = now+random.Int64N(50*second), random.Int64N(50*second)
					}
					pool.Set(i, l)
					if c.resting > 0 && i%c.resting == 0 {
						pool.Rest(i, oneOf(chance{random}, []string{"US"}, []string{"CA"}, []string{"US", "CA"}))
					}
				}
				pack, turn := &Powerpack{LocalConnect: c.local}, int64(size)
				req := Request{To: local, Service: SMS, Now: now, Deadline: now + 100*second}
				b.ReportAllocs()
				for b.Loop() {
					choice, ok := pack.Pick(pool, req, outside)
					if !ok {
						continue
					}
					turn++
					l := pool.Load(choice.Index)
					l.Used = turn
					pool.Set(choice.Index, l)
				}
			})
		}
	}
}

// BenchmarkPoolSet is a limited sender that sends: its place in the order changes.
func BenchmarkPoolSet(b *testing.B) {
	for _, size := range []int{100, 10_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			pool := NewPool(manyLongCodes(size))
			random := rand.New(rand.NewPCG(1, 1))
			b.ReportAllocs()
			for b.Loop() {
				pool.Set(random.IntN(size), Load{Free: random.Int64N(1000 * second)})
			}
		})
	}
}
