package gateway

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// scan is the choice of a sender as the rules say it, by looking at every sender: the specification that the index is held against.
type scan struct {
	*Powerpack
	pool     []Number
	load     []Load
	carriers map[string]Condition
	worst    Condition // that a sender may be in
}

func (s *scan) condition(carrier string) Condition { return s.carriers[carrier] }

func (s scan) choose(req Request) (Choice, bool) {
	for _, s.worst = range []Condition{Up, Down, Missing} {
		if choice, ok := s.pick(req); ok {
			return choice, true
		}
	}
	return Choice{}, false
}

// hidden tells whether the sender does not come up.
func (s *scan) hidden(i int) bool {
	return s.load[i].Closed && s.worst == Up || s.carriers[s.pool[i].Carrier] > s.worst
}

func (s *scan) pick(req Request) (Choice, bool) {
	for i := range s.pool {
		if s.Sticky && s.pool[i].Number == req.Sticky && s.canCarry(i, req) && !s.hidden(i) && s.load[i].FreeAt(req.Now) < req.Deadline {
			return Choice{Index: i, Rule: BySticky, FreeAt: s.load[i].FreeAt(req.Now)}, true
		}
	}
	order, named := DefaultOrder, false
	for _, priority := range s.Priorities {
		if priority.Service == req.Service && priority.Country == market(req.To.Country) {
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

// canCarry says on its own what Number.Carries says.
func (s *scan) canCarry(i int, req Request) bool {
	n := &s.pool[i]
	if !n.Services.Has(req.Service) || n.Number == req.To.Number {
		return false
	}
	from, to := market(n.Country), market(req.To.Country)
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
		best, bestNear := Choice{Index: -1}, NoRule
		for i := range s.pool {
			at := s.load[i].FreeAt(req.Now)
			if s.pool[i].Type != t || !s.canCarry(i, req) || s.hidden(i) || at >= latest {
				continue
			}
			near := s.near(i, req)
			better := best.Index < 0 || nearness(near) > nearness(bestNear) || near == bestNear &&
				(at < best.FreeAt || at == best.FreeAt && s.load[i].Used < s.load[best.Index].Used)
			if better {
				best, bestNear = Choice{Index: i, FreeAt: at}, near
			}
		}
		if best.Index >= 0 {
			best.Rule = cmp.Or(bestNear, ByPriority)
			if !first {
				best.Rule = ByNextPriority
			}
			return best, true
		}
		first = first && !s.hasType(t, req)
	}
	return Choice{}, false
}

func nearness(r Rule) int {
	switch r {
	case BySameArea:
		return 2
	case BySameRegion:
		return 1
	}
	return 0
}

func (s *scan) near(i int, req Request) Rule {
	n, to := &s.pool[i], &req.To
	switch {
	case !s.LocalConnect || n.Type != LongCode || !isUSCA(market(to.Country)):
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
	services := some(c, Services(SMS), Services(MMS), Services(SMS, MMS))
	for i := range pool {
		pool[i] = Number{
			Number: fmt.Sprint("1415555", 1000+i), Type: oneOf(c, types...), Country: oneOf(c, countries...), Region: oneOf(c, regions...),
			AreaCode: oneOf(c, areas...), Carrier: oneOf(c, carriers...), Services: oneOf(c, services...),
		}
	}
	return pool
}

// load is that of a sender that has rested or, where most are busy, of one that mostly has not.
func (c chance) load(now int64, busy bool) Load {
	seconds := func() int64 { return oneOf[int64](c, 0, 1, 2, 30, 61, 100) * second }
	l := Load{Free: oneOf(c, 0, now-second, now), Backlog: seconds(), Used: c.Int64N(5), Closed: c.IntN(10) == 0}
	if busy && c.IntN(10) > 0 {
		l.Free = now + 1 + seconds()
	}
	return l
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
		s := scan{Powerpack: pack, pool: numbers, load: make([]Load, len(numbers)), carriers: map[string]Condition{}}
		for i := range numbers {
			s.load[i] = c.load(now, busy)
			pool.Set(i, s.load[i])
		}
		for range 100 {
			switch c.IntN(4) {
			case 0, 1:
				if len(numbers) > 0 {
					i := c.IntN(len(numbers))
					s.load[i] = c.load(now, busy)
					pool.Set(i, s.load[i])
				}
			case 2:
				now += oneOf[int64](c, 1, second, 29*second, -7*second)
			case 3:
				s.carriers[oneOf(c, "net1", "net2", "net3")] = oneOf(c, Up, Down, Missing)
			}
			req := c.request(numbers, now)
			want, wantOK := s.choose(req)
			got, ok := pack.Pick(pool, req, s.condition)
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
	idle.load, idle.carriers = make([]Load, len(s.pool)), nil
	if _, want := idle.choose(req); s.Suits(pool, req) != want {
		t.Fatalf("suits: %v", !want)
	}
}

// check tells what is wrong with the trees.
func (p *Pool) check() error {
	for g := range p.groups {
		size := 0
		for side, root := range p.groups[g].roots {
			for _, n := range p.inOrder(root) {
				size++
				if i := senderOf(n); p.in[i][n%levels] != int32(g) || p.loads[i].Closed != (side == 1) {
					return fmt.Errorf("sender %d is in group %d, side %d", i, g, side)
				}
			}
			order := p.inOrder(root)
			for k := 1; k < len(order); k++ {
				if !p.before(order[k-1], order[k]) {
					return fmt.Errorf("group %d, side %d is out of order", g, side)
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

// TestClone: what happens to a copy does not happen to the pool.
func TestPoolClone(t *testing.T) {
	pool := NewPool([]Number{near, inState, faraway})
	pool.Set(0, Load{Free: 5 * second})
	c := pool.Clone()
	for i := range c.Len() {
		c.Set(i, Load{Free: int64(9-i) * second, Closed: i == 1})
	}
	if pool.Load(0).Free != 5*second || pool.Load(1).Closed || pool.check() != nil || c.check() != nil {
		t.Errorf("%+v, %v, %v", pool.loads, pool.check(), c.check())
	}
	choice, _ := (&Powerpack{}).Pick(pool, Request{To: sanFrancisco, Service: SMS, Deadline: 60 * second}, allUp)
	if choice.Index != 1 {
		t.Errorf("%+v", choice)
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
		if depth := pool.depth(pool.groups[pool.in[0][ofClass]].roots[0]); depth > 60 {
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

func TestPickAllocatesNothing(t *testing.T) {
	pool := NewPool(manyLongCodes(1000))
	pack, turn := &Powerpack{LocalConnect: true}, int64(0)
	to := Destination{Number: "14155550123", Country: "US", Region: "S3", AreaCode: "415"}
	if n := testing.AllocsPerRun(100, func() {
		choice, _ := pack.Pick(pool, Request{To: to, Service: SMS, Deadline: second}, allUp)
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
			name  string
			busy  int // every how many-th sender
			local bool
		}{{"free", 0, false}, {"half busy", 2, false}, {"local", 2, true}} {
			b.Run(fmt.Sprint(c.name, "/", size), func(b *testing.B) {
				pool, now := NewPool(manyLongCodes(size)), int64(1000*second)
				random := rand.New(rand.NewPCG(1, 1))
				for i := range size {
					l := Load{Used: random.Int64N(int64(size))}
					if c.busy > 0 && i%c.busy == 0 {
						l.Free, l.Backlog = now+random.Int64N(50*second), random.Int64N(50*second)
					}
					pool.Set(i, l)
				}
				pack, turn := &Powerpack{LocalConnect: c.local}, int64(size)
				req := Request{To: local, Service: SMS, Now: now, Deadline: now + 100*second}
				b.ReportAllocs()
				for b.Loop() {
					choice, _ := pack.Pick(pool, req, allUp)
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
