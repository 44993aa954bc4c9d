package gateway

import "slices"

// Pool is the numbers of a powerpack, indexed for Powerpack.Pick: it finds the best sender in a time that grows with the logarithm of the
// pool, and a change of one sender's load costs as much. The numbers of a pool never change; when they do, a new Pool is made and its
// loads are set anew. It is not safe for concurrent use, and Pick changes nothing in it.
//
// Numbers that the rules cannot tell apart make a group: those of a class (what they may carry), a carrier and a campaign; and again among
// these, long codes of the United States and Canada by region and by area code. So a sender is in up to three groups; a paused one is in
// none. Each group has its senders in the order of their free times (see tree.go), those that rest apart from the others.
type Pool struct {
	numbers             []Number
	places              map[string]int32   // by number
	carriers, campaigns []string           // of all numbers
	in                  [][levels]int32    // the groups that a sender is in; none
	byType              [typeCount][]int32 // the groups of each type
	regions             map[region][]int32
	areas               map[string][]int32

	loads  []Load
	rests  [][]string // where each sender rests: markets in order; nil: nowhere
	groups []group
	nodes  []node // of sender i: those from levels*i on, one for each group it is in
}

// The levels of groups.
const (
	ofClass = iota
	ofRegion
	ofArea
	levels
)

const typeCount = int(Alphanumeric) + 1

// none is no group, no node, no sender.
const none = int32(-1)

// region is a state or province.
type region struct{ country, name string }

// group is senders that differ in nothing but their loads.
type group struct {
	class
	carrier  string // that hosts them; empty: by route
	campaign string // that they belong to; empty: none
	size     int
	root     int32  // of the tree of those that rest nowhere
	wards    []ward // those that rest somewhere
}

// ward is senders of a group that rest in the same markets. They are a tree of their own, so that a choice takes it in or passes it over as a
// whole, however many rest.
type ward struct {
	markets []string
	root    int32
}

// groupKey tells groups apart while a pool is made.
type groupKey struct {
	class
	carrier, campaign string
	level             int
	region            region
	area              string
}

// NewPool makes the index of numbers that are all different. They belong to the pool from then on. All senders are free and unused, and none
// rests.
func NewPool(numbers []Number) *Pool {
	p := &Pool{
		numbers: numbers, places: make(map[string]int32, len(numbers)), in: make([][levels]int32, len(numbers)),
		regions: map[region][]int32{}, areas: map[string][]int32{},
		loads: make([]Load, len(numbers)), rests: make([][]string, len(numbers)), nodes: make([]node, levels*len(numbers)),
		carriers: distinct(numbers, func(n *Number) string { return n.Carrier }), campaigns: distinct(numbers, func(n *Number) string { return n.Campaign }),
	}
	made := map[groupKey]int32{}
	for i := range numbers {
		n := &p.numbers[i]
		p.places[n.Number] = int32(i)
		p.in[i] = [levels]int32{none, none, none}
		if n.Paused || n.Type == 0 || int(n.Type) >= typeCount {
			continue // no rule names it
		}
		key := groupKey{class: n.class(), carrier: n.Carrier, campaign: n.Campaign}
		p.join(i, key, made)
		if n.Type != LongCode || !isUSCA(Market(n.Country)) {
			continue // local connect is for long codes of the US and Canada
		}
		if n.Region != "" {
			key.level, key.region = ofRegion, region{n.Country, n.Region}
			p.join(i, key, made)
		}
		if n.AreaCode != "" {
			key.level, key.region, key.area = ofArea, region{}, n.AreaCode
			p.join(i, key, made)
		}
	}
	return p
}

// join puts the i-th sender into a group.
func (p *Pool) join(i int, key groupKey, made map[groupKey]int32) {
	g, known := made[key]
	if !known {
		g = int32(len(p.groups))
		made[key] = g
		p.groups = append(p.groups, group{class: key.class, carrier: key.carrier, campaign: key.campaign, root: none})
		switch key.level {
		case ofClass:
			p.byType[key.kind] = append(p.byType[key.kind], g)
		case ofRegion:
			p.regions[key.region] = append(p.regions[key.region], g)
		case ofArea:
			p.areas[key.area] = append(p.areas[key.area], g)
		}
	}
	p.in[i][key.level] = g
	group := &p.groups[g]
	group.size++
	group.root = p.insert(group.root, int32(levels*i+key.level))
}

// distinct lists what numbers have, but for the empty string, in the order in which it comes up.
func distinct(numbers []Number, of func(n *Number) string) []string {
	var list []string
	seen := map[string]struct{}{"": {}}
	for i := range numbers {
		s := of(&numbers[i])
		if _, known := seen[s]; !known {
			seen[s] = struct{}{}
			list = append(list, s)
		}
	}
	return list
}

// Len is how many senders the pool has.
func (p *Pool) Len() int { return len(p.numbers) }

// Number is the i-th sender. It must not be changed.
func (p *Pool) Number(i int) *Number { return &p.numbers[i] }

// Load is how busy the i-th sender is, as it was last set.
func (p *Pool) Load(i int) Load { return p.loads[i] }

// Carriers are those that host senders of the pool. The list must not be changed.
func (p *Pool) Carriers() []string { return p.carriers }

// Campaigns are those that senders of the pool belong to. The list must not be changed.
func (p *Pool) Campaigns() []string { return p.campaigns }

// Has tells whether the pool has the number.
func (p *Pool) Has(number string) bool { return p.find(number) != none }

// Serves tells whether the pool has the number and it carries the service.
func (p *Pool) Serves(number string, service Service) bool {
	i := p.find(number)
	return i != none && p.numbers[i].Services.Has(service)
}

func (p *Pool) find(number string) int32 {
	if i, ok := p.places[number]; ok {
		return i
	}
	return none
}

// Set notes how busy the i-th sender is from now on.
func (p *Pool) Set(i int, l Load) {
	old := p.loads[i]
	switch {
	case old == l:
	case old.Free != l.Free:
		p.takeOut(i)
		p.loads[i] = l
		p.putIn(i)
	default: // its place in the order is the same
		p.loads[i] = l
		for level, g := range p.in[i] {
			if g != none {
				p.refresh(*p.tree(g, p.rests[i]), int32(levels*i+level))
			}
		}
	}
}

// Rest notes in which markets the i-th sender rests from now on; none: nowhere. It tells whether that is a change.
func (p *Pool) Rest(i int, markets []string) bool {
	if len(markets) == 0 && p.rests[i] == nil {
		return false
	}
	markets = slices.Compact(slices.Sorted(slices.Values(markets)))
	if slices.Equal(markets, p.rests[i]) {
		return false
	}
	p.takeOut(i)
	p.rests[i] = markets
	p.putIn(i)
	return true
}

// Resting counts the senders that rest in some market.
func (p *Pool) Resting() (n int) {
	for _, markets := range p.rests {
		if len(markets) > 0 {
			n++
		}
	}
	return n
}

// Rests tells whether the i-th sender rests in a market.
func (p *Pool) Rests(i int, market string) bool { return slices.Contains(p.rests[i], market) }

// tree is the root of the tree of a group's senders that rest in some markets. It is good until the next call.
func (p *Pool) tree(g int32, markets []string) *int32 {
	group := &p.groups[g]
	if markets == nil {
		return &group.root
	}
	for w := range group.wards {
		if ward := &group.wards[w]; slices.Equal(ward.markets, markets) {
			return &ward.root
		}
	}
	group.wards = append(group.wards, ward{markets: markets, root: none})
	return &group.wards[len(group.wards)-1].root
}

// putIn puts a sender into the trees of its groups.
func (p *Pool) putIn(i int) {
	for level, g := range p.in[i] {
		if g != none {
			root := p.tree(g, p.rests[i])
			*root = p.insert(*root, int32(levels*i+level))
		}
	}
}

// takeOut takes a sender out of the trees of its groups. Wards that nobody is left in go.
func (p *Pool) takeOut(i int) {
	for level, g := range p.in[i] {
		if g == none {
			continue
		}
		root := p.tree(g, p.rests[i])
		*root = p.remove(*root, int32(levels*i+level))
		if *root == none && p.rests[i] != nil {
			group := &p.groups[g]
			group.wards = slices.DeleteFunc(group.wards, func(w ward) bool { return w.root == none })
		}
	}
}

// Clone makes a copy with loads and rests of its own.
func (p *Pool) Clone() *Pool {
	c := *p
	c.loads, c.rests, c.groups, c.nodes = slices.Clone(p.loads), slices.Clone(p.rests), slices.Clone(p.groups), slices.Clone(p.nodes)
	for g := range c.groups {
		c.groups[g].wards = slices.Clone(c.groups[g].wards)
	}
	return &c
}
