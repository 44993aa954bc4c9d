package gateway

import "slices"

// Pool is the numbers of a powerpack, indexed for Powerpack.Pick: it finds the best sender in a time that grows with the logarithm of the
// pool, and a change of one sender's load costs as much. The numbers of a pool never change; when they do, a new Pool is made and its
// loads are set anew. It is not safe for concurrent use, and Pick changes nothing in it.
//
// Numbers that the rules cannot tell apart make a group: those of a class (what they may carry) and a carrier; and again among
// these, long codes of the United States and Canada by region and by area code. So a sender is in up to three groups. Each group has
// its senders in the order of their free times (see tree.go).
type Pool struct {
	numbers []Number
	places  map[string]int32   // by number
	in      [][levels]int32    // the groups that a sender is in; none
	byType  [typeCount][]int32 // the groups of each type
	regions map[region][]int32
	areas   map[string][]int32

	loads  []Load
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
	carrier string // that hosts them; empty: by route
	size    int
	roots   [2]int32 // of the trees of those that are open, and of those that are closed by themselves
}

// groupKey tells groups apart while a pool is made.
type groupKey struct {
	class
	carrier string
	level   int
	region  region
	area    string
}

// NewPool makes the index of numbers that are all different. They belong to the pool from then on. All senders are free and unused.
func NewPool(numbers []Number) *Pool {
	p := &Pool{
		numbers: numbers, places: make(map[string]int32, len(numbers)), in: make([][levels]int32, len(numbers)),
		regions: map[region][]int32{}, areas: map[string][]int32{},
		loads: make([]Load, len(numbers)), nodes: make([]node, levels*len(numbers)),
	}
	made := map[groupKey]int32{}
	for i := range numbers {
		n := &p.numbers[i]
		p.places[n.Number] = int32(i)
		p.in[i] = [levels]int32{none, none, none}
		if n.Type == 0 || int(n.Type) >= typeCount {
			continue // no rule names it
		}
		key := groupKey{class: n.class(), carrier: n.Carrier}
		p.join(i, key, made)
		if n.Type != LongCode || !isUSCA(market(n.Country)) {
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
		p.groups = append(p.groups, group{class: key.class, carrier: key.carrier, roots: [2]int32{none, none}})
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
	group.roots[0] = p.insert(group.roots[0], int32(levels*i+key.level))
}

// Len is how many senders the pool has.
func (p *Pool) Len() int { return len(p.numbers) }

// Number is the i-th sender. It must not be changed.
func (p *Pool) Number(i int) *Number { return &p.numbers[i] }

// Load is how busy the i-th sender is, as it was last set.
func (p *Pool) Load(i int) Load { return p.loads[i] }

// Carriers are those that host senders of the pool.
func (p *Pool) Carriers() []string {
	var carriers []string
	for g := range p.groups {
		if c := p.groups[g].carrier; c != "" && !slices.Contains(carriers, c) {
			carriers = append(carriers, c)
		}
	}
	return carriers
}

// Has tells whether the pool has the number.
func (p *Pool) Has(number string) bool { return p.find(number) != none }

func (p *Pool) find(number string) int32 {
	if i, ok := p.places[number]; ok {
		return i
	}
	return none
}

// Set notes how busy the i-th sender is from now on.
func (p *Pool) Set(i int, l Load) {
	old := p.loads[i]
	if old == l {
		return
	}
	moved := old.Free != l.Free || old.Closed != l.Closed
	if moved {
		for level, g := range p.in[i] {
			if g != none {
				root := &p.groups[g].roots[side(old.Closed)]
				*root = p.remove(*root, int32(levels*i+level))
			}
		}
	}
	p.loads[i] = l
	for level, g := range p.in[i] {
		if g == none {
			continue
		}
		node, root := int32(levels*i+level), &p.groups[g].roots[side(l.Closed)]
		if moved {
			*root = p.insert(*root, node)
		} else {
			p.refresh(*root, node)
		}
	}
}

// side is which of a group's trees a sender is in.
func side(closed bool) int {
	if closed {
		return 1
	}
	return 0
}

// Clone makes a copy with loads of its own.
func (p *Pool) Clone() *Pool {
	c := *p
	c.loads, c.groups, c.nodes = slices.Clone(p.loads), slices.Clone(p.groups), slices.Clone(p.nodes)
	return &c
}
