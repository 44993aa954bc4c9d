package gateway

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func long(number, area, region string) Number {
	return Number{Number: number, Type: LongCode, Country: "US", Region: region, AreaCode: area, Services: Services(SMS, MMS)}
}

var (
	sanFrancisco = Destination{Number: "14155550123", Country: "US", Region: "CA", AreaCode: "415"}
	toronto      = Destination{Number: "14165550123", Country: "CA", Region: "ON", AreaCode: "416"}
	sanJuan      = Destination{Number: "17875550123", Country: "PR", Region: "PR", AreaCode: "787"}
	london       = Destination{Number: "442071838750", Country: "GB"}

	near    = long("14155550100", "415", "CA")
	inState = long("12135550100", "213", "CA")
	faraway = long("12125550100", "212", "NY")
	tf      = Number{Number: "18005550100", Type: TollFree, Country: "US", Services: Services(SMS)}
	sc      = Number{Number: "555444", Type: ShortCode, Country: "US", Services: Services(SMS)}
)

func TestPick(t *testing.T) {
	onlyLong := []Priority{{Service: SMS, Country: "US", Order: [3]NumberType{LongCode}}}
	longFirst := []Priority{{Service: SMS, Country: "US", Order: [3]NumberType{LongCode, TollFree, ShortCode}}}
	minute := int64(60 * second)
	cases := []struct {
		name  string
		pack  Powerpack
		pool  []Number
		req   Request
		free  map[string]int64
		rests string // in the US
		want  string
		rule  Rule
	}{
		{"default order takes the short code", Powerpack{}, []Number{near, tf, sc}, Request{To: sanFrancisco}, nil, "", sc.Number, ByPriority},
		{"sticky wins", Powerpack{Sticky: true}, []Number{near, tf, sc}, Request{To: sanFrancisco, Sticky: near.Number}, nil, "", near.Number, BySticky},
		{"not sticky", Powerpack{}, []Number{near, tf, sc}, Request{To: sanFrancisco, Sticky: near.Number}, nil, "", sc.Number, ByPriority},
		{"sticky number left the pool", Powerpack{Sticky: true}, []Number{faraway}, Request{To: sanFrancisco, Sticky: near.Number}, nil, "", faraway.Number, ByPriority},
		{"sticky number cannot carry it", Powerpack{Sticky: true}, []Number{faraway, tf}, Request{To: sanFrancisco, Service: MMS, Sticky: tf.Number}, nil, "", faraway.Number, ByPriority},
		{"sticky though another is free earlier", Powerpack{Sticky: true}, []Number{near, faraway}, Request{To: sanFrancisco, Sticky: near.Number}, map[string]int64{near.Number: 100 * minute}, "", near.Number, BySticky},
		{"same area", Powerpack{LocalConnect: true, Priorities: longFirst}, []Number{faraway, inState, near}, Request{To: sanFrancisco}, nil, "", near.Number, BySameArea},
		{"same state", Powerpack{LocalConnect: true, Priorities: longFirst}, []Number{faraway, inState}, Request{To: sanFrancisco}, nil, "", inState.Number, BySameRegion},
		{"local connect off", Powerpack{Priorities: longFirst}, []Number{faraway, near}, Request{To: sanFrancisco}, nil, "", faraway.Number, ByPriority},
		{"earliest free", Powerpack{Priorities: longFirst}, []Number{faraway, near}, Request{To: sanFrancisco}, map[string]int64{faraway.Number: second}, "", near.Number, ByPriority},
		{"next type when the first is busy for longer than patience", Powerpack{}, []Number{near, sc}, Request{To: sanFrancisco}, map[string]int64{sc.Number: 2 * minute}, "", near.Number, ByNextPriority},
		{"first type when all are busy for longer", Powerpack{}, []Number{near, sc}, Request{To: sanFrancisco}, map[string]int64{sc.Number: 3 * minute, near.Number: 2 * minute}, "", sc.Number, ByPriority},
		{"nobody before the deadline", Powerpack{}, []Number{near, sc}, Request{To: sanFrancisco}, map[string]int64{sc.Number: 200 * minute, near.Number: 200 * minute}, "", "", NoRule},
		{"null places are not used", Powerpack{Priorities: onlyLong}, []Number{tf, sc}, Request{To: sanFrancisco}, nil, "", "", NoRule},
		{"resting senders do not come up", Powerpack{}, []Number{near, sc}, Request{To: sanFrancisco}, nil, sc.Number, near.Number, ByNextPriority},
		{"US toll-free does not reach Canada", Powerpack{}, []Number{tf}, Request{To: toronto}, nil, "", "", NoRule},
		{"a US territory is served as the US", Powerpack{Priorities: onlyLong}, []Number{tf, sc, near}, Request{To: sanJuan}, nil, "", near.Number, ByPriority},
		{"US toll-free reaches a US territory", Powerpack{}, []Number{tf}, Request{To: sanJuan}, nil, "", tf.Number, ByPriority},
		{"no alphanumeric in a US territory", Powerpack{}, []Number{{Number: "HELIO", Type: Alphanumeric, Services: Services(SMS)}}, Request{To: sanJuan}, nil, "", "", NoRule},
		{"US long code reaches Canada", Powerpack{}, []Number{sc, tf, near}, Request{To: toronto}, nil, "", near.Number, ByPriority},
		{"abroad by long code", Powerpack{}, []Number{sc, near}, Request{To: london}, nil, "", near.Number, ByPriority},
		{"alphanumeric abroad", Powerpack{}, []Number{{Number: "HELIO", Type: Alphanumeric, Services: Services(SMS)}}, Request{To: london}, nil, "", "HELIO", ByPriority},
		{"no alphanumeric in the US", Powerpack{}, []Number{{Number: "HELIO", Type: Alphanumeric, Services: Services(SMS)}}, Request{To: sanFrancisco}, nil, "", "", NoRule},
		{"never to itself", Powerpack{}, []Number{long(sanFrancisco.Number, "415", "CA")}, Request{To: sanFrancisco}, nil, "", "", NoRule},
		{"empty pool", Powerpack{}, nil, Request{To: sanFrancisco}, nil, "", "", NoRule},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.req.Service == 0 {
				c.req.Service = SMS
			}
			c.req.Deadline = 180 * minute
			pool := NewPool(c.pool)
			for i, n := range c.pool {
				pool.Set(i, Load{Free: c.free[n.Number]})
				if n.Number == c.rests {
					pool.Rest(i, []string{"US"})
				}
			}
			choice, ok := c.pack.Pick(pool, c.req, Outside{})
			got := ""
			if ok {
				got = c.pool[choice.Index].Number
			}
			if got != c.want || choice.Rule != c.rule {
				t.Errorf("got %q by %q, want %q by %q", got, choice.Rule, c.want, c.rule)
			}
		})
	}
}

// TestPickFromOutside: campaigns, the account's rate, pauses and rests.
func TestPickFromOutside(t *testing.T) {
	member, paused, abroad := faraway, near, sanFrancisco
	member.Campaign, paused.Paused = "C1", true
	abroad.Country = "CA"
	down := func(carrier string) Condition {
		if carrier != "" {
			return Down
		}
		return Up
	}
	hosted := inState
	hosted.Carrier = "net1"
	sticky := Powerpack{Sticky: true}
	cases := []struct {
		name    string
		pack    Powerpack
		pool    []Number
		load    []Load
		rests   [][]string
		req     Request
		outside Outside
		want    string
		rule    Rule
		freeAt  int64
	}{
		{
			name: "a campaign that is busy", pool: []Number{member, near}, load: []Load{{}, {Free: 3 * second}},
			req: Request{To: sanFrancisco}, outside: campaignFree(5 * second), want: near.Number, rule: ByPriority, freeAt: 3 * second,
		},
		{
			name: "a campaign that is less busy than the other sender", pool: []Number{member, near}, load: []Load{{}, {Free: 6 * second}},
			req: Request{To: sanFrancisco}, outside: campaignFree(5 * second), want: member.Number, rule: ByPriority, freeAt: 5 * second,
		},
		{
			name: "of those that a campaign holds up alike, the one that is free itself", pool: []Number{member, inCampaign(near)},
			load: []Load{{Free: 2 * second}, {Free: second}}, req: Request{To: sanFrancisco}, outside: campaignFree(5 * second),
			want: near.Number, rule: ByPriority, freeAt: 5 * second,
		},
		{
			name: "a campaign beyond patience", pool: []Number{tf, inCampaign(sc)}, req: Request{To: sanFrancisco},
			outside: campaignFree(61 * second), want: tf.Number, rule: ByNextPriority,
		},
		{
			name: "a campaign beyond the deadline", pool: []Number{member}, req: Request{To: sanFrancisco, Sticky: member.Number}, pack: sticky,
			outside: campaignFree(1000 * second),
		},
		{
			name: "the account's rate holds all up alike", pool: []Number{tf, sc}, load: []Load{{}, {Free: 70 * second}},
			req: Request{To: sanFrancisco, Earliest: 80 * second}, want: sc.Number, rule: ByPriority, freeAt: 80 * second,
		},
		{
			name: "of those that the account's rate holds up, the one that is free itself", pool: []Number{near, faraway}, load: []Load{{Free: second}, {}},
			req: Request{To: sanFrancisco, Earliest: 80 * second}, want: faraway.Number, rule: ByPriority, freeAt: 80 * second,
		},
		{name: "the account's rate beyond the deadline", pool: []Number{tf}, req: Request{To: sanFrancisco, Earliest: 1000 * second}},
		{name: "a paused sender", pool: []Number{paused, faraway}, req: Request{To: sanFrancisco}, want: faraway.Number, rule: ByPriority},
		{
			name: "a paused sticky sender", pool: []Number{paused, faraway}, req: Request{To: sanFrancisco, Sticky: paused.Number}, pack: sticky,
			want: faraway.Number, rule: ByPriority,
		},
		{name: "none but a paused sender", pool: []Number{paused}, req: Request{To: sanFrancisco, Sticky: paused.Number}, pack: sticky},
		{
			name: "a resting sticky sender", pool: []Number{near, faraway}, rests: [][]string{{"US"}}, load: []Load{{}, {Free: 99 * second}},
			req: Request{To: sanFrancisco, Sticky: near.Number}, pack: sticky, want: faraway.Number, rule: ByPriority, freeAt: 99 * second,
		},
		{
			name: "a sticky sender that rests elsewhere", pool: []Number{near, faraway}, rests: [][]string{{"CA", "GB"}},
			req: Request{To: sanFrancisco, Sticky: near.Number}, pack: sticky, want: near.Number, rule: BySticky,
		},
		{
			name: "a resting sticky sender when the others are not free in time", pool: []Number{near, faraway}, rests: [][]string{{"US"}},
			load: []Load{{}, {Free: 1000 * second}}, req: Request{To: sanFrancisco, Sticky: near.Number}, pack: sticky,
			want: near.Number, rule: BySticky,
		},
		{
			name: "a sender that rests in the territory's market", pool: []Number{near, faraway}, rests: [][]string{{"US"}},
			req: Request{To: sanJuan}, want: faraway.Number, rule: ByPriority,
		},
		{
			name: "a sender that rests elsewhere", pool: []Number{near, faraway}, rests: [][]string{{"US"}},
			req: Request{To: abroad}, want: near.Number, rule: ByPriority,
		},
		{
			name: "all rest", pool: []Number{near, faraway}, rests: [][]string{{"US"}, {"US", "CA"}}, load: []Load{{Used: 1}},
			req: Request{To: sanFrancisco}, want: faraway.Number, rule: ByPriority,
		},
		{
			name: "one rests, the other's carrier is down", pool: []Number{hosted, faraway}, rests: [][]string{nil, {"US"}},
			req: Request{To: sanFrancisco}, outside: Outside{Condition: down}, want: hosted.Number, rule: ByPriority,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			pool := NewPool(c.pool)
			for i, l := range c.load {
				pool.Set(i, l)
			}
			for i, markets := range c.rests {
				pool.Rest(i, markets)
			}
			c.req.Service, c.req.Deadline = SMS, 180*second
			choice, ok := c.pack.Pick(pool, c.req, c.outside)
			switch {
			case ok != (c.want != ""):
				t.Errorf("%+v, %v", choice, ok)
			case ok && (c.pool[choice.Index].Number != c.want || choice.Rule != c.rule || choice.FreeAt != c.freeAt):
				t.Errorf("%s by %q at %d", c.pool[choice.Index].Number, choice.Rule, choice.FreeAt)
			}
			for i := range c.pool {
				if !pool.Has(c.pool[i].Number) {
					t.Errorf("%s is not in the pool", c.pool[i].Number)
				}
			}
		})
	}
}

// TestDocumentedCampaign is the example of docs/powerpack.md: a campaign at 2 units a second has 20 waiting, another sender, of none, so many.
func TestDocumentedCampaign(t *testing.T) {
	pool := NewPool([]Number{inCampaign(near), faraway})
	for waiting, want := range map[int]string{6: faraway.Number, 12: near.Number} {
		pool.Set(1, Load{Backlog: Limit{Rate: 1}.Cost(waiting)})
		choice, _ := (&Powerpack{LocalConnect: true}).Pick(pool, Request{To: toronto, Service: SMS, Deadline: int64(DefaultExpiry)},
			campaignFree(Limit{Rate: 2}.Cost(20)))
		if got := pool.Number(choice.Index).Number; got != want {
			t.Errorf("%s is taken with %d units waiting", got, waiting)
		}
	}
}

// campaignFree is a world in which campaign C1 lets nothing leave before.
func campaignFree(at int64) Outside {
	return Outside{Campaign: func(id string) int64 {
		if id == "C1" {
			return at
		}
		return 0
	}}
}

func inCampaign(n Number) Number {
	n.Campaign = "C1"
	return n
}

// TestSuitsWithoutThePaused: a sender that is paused is none that a message could wait for.
func TestSuitsWithoutThePaused(t *testing.T) {
	req := Request{To: sanFrancisco, Service: SMS, Sticky: near.Number}
	pack, paused := Powerpack{Sticky: true}, near
	paused.Paused = true
	if pack.Suits(NewPool([]Number{paused}), req) || !pack.Suits(NewPool([]Number{paused, tf}), req) || !pack.Suits(NewPool([]Number{near}), req) {
		t.Error("paused senders count")
	}
}

// TestDocumentedExamples are those of docs/powerpack.md.
func TestDocumentedExamples(t *testing.T) {
	short, toll, at415, at212 := sc, tf, near, faraway
	short.Services, toll.Services = Services(SMS), Services(SMS)
	onlyLong := []Priority{{Service: SMS, Country: "US", Order: [3]NumberType{LongCode}}}
	for name, c := range map[string]struct {
		waiting    [4]int // units for each sender
		service    Service
		habit      string
		priorities []Priority
		want       string
		rule       Rule
	}{
		"all are free":        {want: short.Number, rule: ByPriority},
		"within patience":     {waiting: [4]int{5000}, want: short.Number, rule: ByPriority},
		"beyond patience":     {waiting: [4]int{10_000}, want: toll.Number, rule: ByNextPriority},
		"the next one too":    {waiting: [4]int{10_000, 2000}, want: at415.Number, rule: ByNextPriority},
		"all beyond patience": {waiting: [4]int{10_000, 2000, 90, 90}, want: short.Number, rule: ByPriority},
		"an MMS":              {service: MMS, want: at415.Number, rule: BySameArea},
		"sticky":              {waiting: [4]int{3: 30}, habit: at212.Number, want: at212.Number, rule: BySticky},
		"beyond the expiry":   {waiting: [4]int{2: 11_000, 3: 11_000}, priorities: onlyLong},
	} {
		pool := NewPool([]Number{short, toll, at415, at212})
		for i, units := range c.waiting {
			pool.Set(i, Load{Backlog: Limit{Rate: defaultRate(pool.Number(i).Type, "US")}.Cost(units)})
		}
		req := Request{To: sanFrancisco, Service: max(c.service, SMS), Sticky: c.habit, Deadline: int64(DefaultExpiry)}
		pack := Powerpack{Sticky: true, LocalConnect: true, Priorities: c.priorities}
		choice, ok := pack.Pick(pool, req, Outside{})
		if ok != (c.want != "") || ok && pool.Number(choice.Index).Number != c.want || choice.Rule != c.rule {
			t.Errorf("%s: %+v, %v", name, choice, ok)
		}
	}
}

// TestPickProperties holds the rules against random pools: a sender that is taken can carry the message in time; a usable sticky
// sender is always taken; a type is passed over only when none of it is free within patience.
func TestPickProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pool := rapid.SliceOfN(rapid.Custom(drawNumber), 0, 20).Draw(t, "pool")
		free := make([]int64, len(pool))
		for i := range pool {
			pool[i].Number = fmt.Sprint(i, pool[i].Number)
			free[i] = rapid.Int64Range(0, 300).Draw(t, "free") * second
		}
		pack := Powerpack{Sticky: rapid.Bool().Draw(t, "sticky"), LocalConnect: rapid.Bool().Draw(t, "local")}
		req := Request{
			To:      rapid.SampledFrom([]Destination{sanFrancisco, toronto, london}).Draw(t, "to"),
			Service: rapid.SampledFrom([]Service{SMS, MMS}).Draw(t, "service"), Deadline: 200 * second,
		}
		if len(pool) > 0 {
			req.Sticky = rapid.SampledFrom(pool).Draw(t, "habit").Number
		}
		index := NewPool(pool)
		for i := range pool {
			index.Set(i, Load{Free: free[i]})
		}
		choice, ok := pack.Pick(index, req, Outside{})
		usable := func(i int) bool { return pool[i].Carries(req) && free[i] < req.Deadline }
		if !ok {
			for i := range pool {
				if usable(i) && pool[i].Type != Alphanumeric {
					t.Fatalf("sender %d was usable", i)
				}
			}
			return
		}
		if !usable(choice.Index) {
			t.Fatalf("sender %d cannot carry it in time", choice.Index)
		}
		for i := range pool {
			if pack.Sticky && pool[i].Number == req.Sticky && usable(i) && choice.Index != i {
				t.Fatalf("the sticky sender %d was usable, %d taken", i, choice.Index)
			}
			if choice.Rule == BySticky || !pool[i].Carries(req) || free[i] >= int64(DefaultPatience) {
				continue
			}
			if rank(pool[i].Type) < rank(pool[choice.Index].Type) {
				t.Fatalf("type %s was passed over for %s", pool[i].Type, pool[choice.Index].Type)
			}
		}
	})
}

func rank(t NumberType) int {
	for i, o := range DefaultOrder {
		if o == t {
			return i
		}
	}
	return len(DefaultOrder)
}

func drawNumber(t *rapid.T) Number {
	return Number{
		Number:  rapid.StringMatching(`-1[2-9]\d{9}`).Draw(t, "number"),
		Type:    rapid.SampledFrom([]NumberType{LongCode, TollFree, ShortCode, Alphanumeric}).Draw(t, "type"),
		Country: rapid.SampledFrom([]string{"US", "CA"}).Draw(t, "country"), Region: rapid.SampledFrom([]string{"CA", "NY", "ON"}).Draw(t, "region"),
		AreaCode: rapid.SampledFrom([]string{"415", "212", "416"}).Draw(t, "area"),
		Services: rapid.SampledFrom([]ServiceSet{Services(SMS), Services(MMS), Services(SMS, MMS)}).Draw(t, "services"),
	}
}

// spread sends 10,000 messages to unrelated destinations by a pool whose senders take so long for each, 0 when unlimited, with so much time between
// messages, and counts them by sender. Destinations are in the area codes of manyLongCodes and as many others.
func spread(t *testing.T, pack Powerpack, pool *Pool, perMessage, between int64) []int {
	t.Helper()
	counts, random := make([]int, pool.Len()), rand.New(rand.NewPCG(1, 1))
	for turn := range int64(10_000) {
		area := 400 + random.IntN(80)
		to := Destination{Number: fmt.Sprintf("1%d555%04d", area, turn), Country: "US", AreaCode: fmt.Sprint(area), Region: fmt.Sprint("S", (area-400)/4)}
		now := turn * between
		choice, ok := pack.Pick(pool, Request{To: to, Service: SMS, Now: now, Deadline: now + int64(DefaultExpiry)}, Outside{})
		if !ok {
			t.Fatal("nobody was picked")
		}
		l := pool.Load(choice.Index)
		l.Used = turn + 1
		if perMessage > 0 {
			l.Free = max(l.Free, now) + perMessage
		}
		pool.Set(choice.Index, l)
		counts[choice.Index]++
	}
	return counts
}

// TestPickSpreads: of equal senders none gets more than 2 % more or less than its even share.
func TestPickSpreads(t *testing.T) {
	local := Powerpack{LocalConnect: true}
	nowhere := func(n *Number) { n.AreaCode, n.Region = "", "" }
	here := func(n *Number) { n.AreaCode, n.Region = "415", "S3" }
	tollFree := func(n *Number) { n.Type = TollFree }
	for name, c := range map[string]struct {
		pack       Powerpack
		perMessage int64
		between    int64
		make       func(i int, n *Number)
	}{
		"unlimited":                                  {},
		"limited, and their queues grow":             {perMessage: second / 10, between: second / 1000},
		"limited, and their queues are mostly empty": {perMessage: second, between: second / 50},
		"several carriers and campaigns": {perMessage: second / 10, make: func(i int, n *Number) {
			n.Carrier, n.Campaign = fmt.Sprint("net", i%3), fmt.Sprint("C", i%7)
		}},
		"toll-free, beside local long codes": {pack: local, make: func(i int, n *Number) {
			if i < 50 {
				tollFree(n)
			}
		}},
		"local connect applies to all alike": {pack: local, make: func(_ int, n *Number) { here(n) }},
		"local connect applies to none":      {pack: local, make: func(_ int, n *Number) { nowhere(n) }},
		"local connect, limited, one area is local": {pack: local, perMessage: second / 10, between: second / 1000, make: func(i int, n *Number) {
			if nowhere(n); i < 10 {
				here(n)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			numbers := manyLongCodes(100)
			for i := range numbers {
				if c.make != nil {
					c.make(i, &numbers[i])
				}
			}
			counts := spread(t, c.pack, NewPool(numbers), c.perMessage, c.between)
			senders := len(counts)
			if numbers[0].Type == TollFree {
				senders = 50 // the others are of a later type
			}
			checkEven(t, counts[:senders], 10_000)
		})
	}
}

// TestPickSpreadsAmongTheNear: where local connect gives some senders more, each of those that are equally near has its even share of that.
func TestPickSpreadsAmongTheNear(t *testing.T) {
	numbers := manyLongCodes(200) // 5 of each area code, 20 of each state
	for _, perMessage := range []int64{0, second / 10} {
		counts := spread(t, Powerpack{LocalConnect: true, Priorities: []Priority{{Service: SMS, Country: "US", Order: [3]NumberType{LongCode}}}},
			NewPool(numbers), perMessage, second/1000)
		for area := range 40 {
			var ofArea []int
			total := 0
			for i := area; i < len(counts); i += 40 {
				ofArea = append(ofArea, counts[i])
				total += counts[i]
			}
			checkEven(t, ofArea, total)
		}
	}
}

// checkEven allows for one message more or less than 2 %, where that is less than one.
func checkEven(t *testing.T, counts []int, total int) {
	t.Helper()
	sum, even := 0, float64(total)/float64(len(counts))
	for i, n := range counts {
		if sum += n; math.Abs(float64(n)-even) > max(0.02*even, 1) {
			t.Errorf("sender %d was taken %d times of %d, an even share is %.1f", i, n, total, even)
		}
	}
	if sum != total {
		t.Errorf("%d of %d messages", sum, total)
	}
}
