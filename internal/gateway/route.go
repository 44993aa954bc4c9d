package gateway

import "strings"

// Route sends destinations that begin with Prefix (digits, the longest wins) through the first of its carriers that is up.
// Type, Account and Services narrow it to senders of a type, to an account and to messages of some services; zero values do not.
type Route struct {
	Prefix   string
	Type     NumberType
	Account  AccountID
	Services ServiceSet
	Carriers []string
}

// Routes is the routing table.
type Routes []Route

// Carriers gives the carriers of the best route for a message, in order; none when no route fits. The longest prefix wins,
// then the route that names the account, then the one that names services, then the one that names the sender's type.
func (rs Routes) Carriers(to string, sender NumberType, account AccountID, service Service) []string {
	best, bestRank := -1, -1
	for i, r := range rs {
		if rank := r.rank(to, sender, account, service); rank > bestRank {
			best, bestRank = i, rank
		}
	}
	if best < 0 {
		return nil
	}
	return rs[best].Carriers
}

// rank orders the routes that fit; -1 does not fit.
func (r *Route) rank(to string, sender NumberType, account AccountID, service Service) int {
	if !strings.HasPrefix(to, r.Prefix) || (r.Type != 0 && r.Type != sender) || (r.Account != "" && r.Account != account) ||
		(r.Services != 0 && !r.Services.Has(service)) {
		return -1
	}
	rank := len(r.Prefix) * 8
	if r.Account != "" {
		rank += 4
	}
	if r.Services != 0 {
		rank += 2
	}
	if r.Type != 0 {
		rank++
	}
	return rank
}
