package plivo

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// Pages of a list, and how far back messages can be listed.
const (
	maxPage       = 20
	maxOffset     = 100_000_000
	defaultWindow = 24 * time.Hour // when no time is asked for
	longestWindow = 90 * 24 * time.Hour
)

// page is which part of a list is wanted.
type page struct{ limit, offset int }

func readPage(args arguments) (p page, err error) {
	if p.limit, err = args.integer("limit", 1, maxPage, maxPage); err != nil {
		return p, err
	}
	p.offset, err = args.integer("offset", 0, maxOffset, 0)
	return p, err
}

// meta describes a page. Next and Previous are relative URIs that keep the filters; at the ends they are null, or empty in lists of a pool.
type meta struct {
	Limit      int     `json:"limit"`
	Offset     int     `json:"offset"`
	Next       *string `json:"next"`
	Previous   *string `json:"previous"`
	TotalCount int     `json:"total_count"`
}

// list is a page of anything.
type list[T any] struct {
	APIID   string `json:"api_id"`
	Meta    meta   `json:"meta"`
	Objects []T    `json:"objects"`
}

// newMeta describes the page of a list of total objects at a path.
func newMeta(path string, args arguments, p page, total int) meta {
	m := meta{Limit: p.limit, Offset: p.offset, TotalCount: total}
	filters := filterQuery(args)
	link := func(offset int) *string {
		uri := path + "?limit=" + strconv.Itoa(p.limit) + "&offset=" + strconv.Itoa(offset) + filters
		return &uri
	}
	if p.offset+p.limit < total {
		m.Next = link(p.offset + p.limit)
	}
	if p.offset > 0 {
		m.Previous = link(max(0, p.offset-p.limit))
	}
	return m
}

// filterQuery writes the arguments of a list again, but for its page and what a client made of a second question mark.
func filterQuery(args arguments) string {
	var b strings.Builder
	for _, arg := range args {
		if arg.name == "limit" || arg.name == "offset" || strings.HasPrefix(arg.name, "?") {
			continue
		}
		items := arg.value.list
		if arg.value.kind != isList {
			items = []value{arg.value}
		}
		for _, item := range items {
			b.WriteString("&" + url.QueryEscape(arg.name) + "=" + url.QueryEscape(item.text))
		}
	}
	return b.String()
}

func (a *API) listMessages(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	p, err := readPage(args)
	if err != nil {
		return answer{}, err
	}
	owner, err := a.readOwner(c, args)
	if err != nil {
		return answer{}, err
	}
	filter := gateway.MessageFilter{Account: owner.ID, Limit: p.limit, Offset: p.offset}
	some, err := readFilters(args, &filter, c.at)
	if err != nil {
		return answer{}, err
	}
	var messages []*gateway.Message
	total := 0
	if some {
		if messages, total, err = a.store.Messages(c.context(), filter); err != nil {
			return answer{}, err
		}
	}
	shown, err := a.records(c, owner.ID, messages)
	return answer{http.StatusOK, list[record]{c.id.String(), newMeta(c.resource("/Message/"), args, p, total), shown}}, err
}

// readSubaccount reads the argument by which a main account names a subaccount of its own; absent, it is the account itself.
func (a *API) readSubaccount(c *call, args arguments) (*account, error) {
	sub, err := a.readOwner(c, args)
	if err == nil && !sub.exists {
		return nil, errNotOwned
	}
	return sub, err
}

// readOwner is readSubaccount for what outlives a subaccount: it may also name one that was deleted.
func (a *API) readOwner(c *call, args arguments) (*account, error) {
	text, err := args.text("subaccount")
	if err != nil || text == "" || gateway.AccountID(text) == c.accountID() {
		return c.account, err
	}
	sub, err := a.accounts.get(c.context(), gateway.AccountID(text))
	if err != nil {
		return nil, err
	}
	if sub.Parent != c.accountID() {
		return nil, errNotOwned
	}
	return sub, nil
}

// readFilters reads what narrows a list of messages. some is false when nothing can fit.
func readFilters(args arguments, filter *gateway.MessageFilter, now time.Time) (some bool, err error) {
	some = true
	for _, read := range [...]func(arguments, *gateway.MessageFilter) (bool, error){
		readDirection, readState, readService, readErrorCode, readNumbers, readOrigin, readCampaigns, readAbsent,
	} {
		fits, err := read(args, filter)
		if err != nil {
			return false, err
		}
		some = some && fits
	}
	timed, err := readTimes(args, filter)
	if err != nil {
		return false, err
	}
	if !timed {
		filter.After = now.Add(-defaultWindow)
	}
	if first := now.Add(-longestWindow); filter.After.Before(first) {
		filter.After = first
	}
	if !filter.Before.IsZero() && !filter.After.Before(filter.Before) {
		some = false
	}
	return some, nil
}

func readDirection(args arguments, filter *gateway.MessageFilter) (bool, error) {
	text, err := args.text("message_direction")
	direction := gateway.Outbound
	switch {
	case err != nil || text == "":
		return true, err
	case foldEqual(text, "outbound"):
	case foldEqual(text, "inbound"):
		direction = gateway.Inbound
	default:
		return false, gateway.Errorf(gateway.Invalid, "message_direction must be inbound or outbound")
	}
	filter.Direction = &direction
	return true, nil
}

func readState(args arguments, filter *gateway.MessageFilter) (bool, error) {
	text, err := args.text("message_state")
	if err != nil || text == "" {
		return true, err
	}
	text = strings.ToLower(text)
	if text == "read" || text == "rejected" { // states of the contract that no message of ours comes into
		return false, nil
	}
	state, ok := gateway.ParseState(text)
	if !ok {
		return false, gateway.Errorf(gateway.Invalid, "message_state is not a state of messages")
	}
	filter.State = &state
	return true, nil
}

func readService(args arguments, filter *gateway.MessageFilter) (bool, error) {
	text, err := args.text("message_type")
	if err != nil || text == "" {
		return true, err
	}
	if foldEqual(text, "whatsapp") {
		return false, nil
	}
	service, ok := gateway.ParseService(strings.ToLower(text))
	if !ok {
		return false, gateway.Errorf(gateway.Invalid, "message_type must be sms, mms or whatsapp")
	}
	filter.Service = service
	return true, nil
}

// readErrorCode comes after readState: the code of delivered messages is asked for as their state.
func readErrorCode(args arguments, filter *gateway.MessageFilter) (bool, error) {
	code, err := args.text("error_code")
	if err != nil || code == "" {
		return true, err
	}
	if code == deliveredCode {
		delivered := gateway.Delivered
		fits := filter.State == nil || *filter.State == delivered
		filter.State = &delivered
		return fits, nil
	}
	if n, err := strconv.Atoi(code); err == nil {
		code = strconv.Itoa(n)
	}
	filter.Reasons = reasonsOf(code)
	return len(filter.Reasons) > 0, nil
}

func readNumbers(args arguments, filter *gateway.MessageFilter) (bool, error) {
	for _, field := range [...]struct {
		name, alias string
		to          *string
	}{{"from_number", "from", &filter.From}, {"to_number", "to", &filter.To}} {
		text, err := args.text(field.name)
		if err == nil && text == "" {
			text, err = args.text(field.alias)
		}
		if err != nil {
			return false, err
		}
		*field.to = numbering.SanitizeSource(text)
		if text != "" && *field.to == "" {
			return false, gateway.Errorf(gateway.Invalid, "%s is not a number", field.name)
		}
	}
	return true, nil
}

func readOrigin(args arguments, filter *gateway.MessageFilter) (bool, error) {
	powerpack, err := args.text("powerpack_id")
	if err != nil {
		return false, err
	}
	if powerpack != "" {
		id, ok := gateway.ParseID(powerpack)
		if !ok {
			return false, gateway.Errorf(gateway.Invalid, "powerpack_id must be a UUID")
		}
		filter.Powerpack = id
	}
	filter.Country, err = readCountry(args, "destination_country_iso2")
	return true, err
}

// readCountry reads an ISO 3166-1 alpha-2 code in either case; "" when it is absent.
func readCountry(args arguments, name string) (string, error) {
	text, err := args.text(name)
	if err != nil || text == "" {
		return "", err
	}
	text = strings.ToUpper(text)
	if !isCountry(text) {
		return "", gateway.Errorf(gateway.Invalid, "%s must be a country code of two letters", name)
	}
	return text, nil
}

func isCountry(text string) bool {
	return len(text) == 2 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'A' && text[1] <= 'Z'
}

// What messages from long codes of the United States show of their sender's registration.
const (
	registeredSender   = "registered"
	unregisteredSender = "unregistered"
)

// readCampaigns reads filters by what the senders of messages are registered for.
func readCampaigns(args arguments, filter *gateway.MessageFilter) (bool, error) {
	var err error
	if filter.Campaign, err = args.text("tendlc_campaign_id"); err != nil {
		return false, err
	}
	status, err := args.text("tendlc_registration_status")
	if err != nil || status == "" {
		return true, err
	}
	registered := foldEqual(status, registeredSender)
	filter.Registered = &registered
	return registered || foldEqual(status, unregisteredSender), nil
}

// readAbsent knows filters by what no message has here: conversations.
func readAbsent(args arguments, _ *gateway.MessageFilter) (bool, error) {
	for _, name := range [...]string{"conversation_id", "conversation_origin"} {
		if text, err := args.text(name); err != nil || text != "" {
			return false, err
		}
	}
	return true, nil
}

// readTimes reads the filters by time; timed is set when there is one.
func readTimes(args arguments, filter *gateway.MessageFilter) (timed bool, err error) {
	filter.After, filter.Before, timed, err = readPeriod(args, "message_time")
	return timed, err
}

// readPeriod reads the filters by a time; timed is set when there is one. Times are UTC and compared to the microsecond.
func readPeriod(args arguments, of string) (after, before time.Time, timed bool, err error) {
	for _, suffix := range [...]string{"", "__gt", "__gte", "__lt", "__lte"} {
		name := of + suffix
		text, err := args.text(name)
		if err != nil {
			return after, before, false, err
		}
		if text == "" {
			continue
		}
		t, precision, ok := parseTime(text)
		if !ok {
			return after, before, false, gateway.Errorf(gateway.Invalid, "%s must be a time in the form YYYY-MM-DD HH:MM[:SS[.ffffff]]", name)
		}
		timed = true
		var from, until time.Time
		switch suffix {
		case "":
			from, until = t, t.Add(precision)
		case "__gt":
			from = t.Add(time.Microsecond)
		case "__gte":
			from = t
		case "__lt":
			until = t
		case "__lte":
			until = t.Add(time.Microsecond)
		}
		if from.After(after) {
			after = from
		}
		if !until.IsZero() && (before.IsZero() || until.Before(before)) {
			before = until
		}
	}
	return after, before, timed, nil
}

// timeForms are how times are written, each with how long a time of this form lasts.
var timeForms = [...]struct {
	layout    string
	precision time.Duration
}{
	{"2006-01-02 15:04:05", time.Second}, // parses fractions too
	{"2006-01-02 15:04", time.Minute},
	{"2006-01-02", 24 * time.Hour},
}

// parseTime reads a time in UTC: the contract's forms, with a blank or a T in the middle, and with or without a zone that says UTC.
func parseTime(text string) (t time.Time, precision time.Duration, ok bool) {
	text = strings.TrimSpace(text)
	for _, zone := range [...]string{"Z", "+00:00", " 00:00"} { // a plus that was not escaped comes as a blank
		if bare, ok := strings.CutSuffix(text, zone); ok && strings.Count(bare, ":") > 0 {
			text = bare
			break
		}
	}
	if len(text) > 10 && text[10] == 'T' {
		text = text[:10] + " " + text[11:]
	}
	for _, form := range timeForms {
		if t, err := time.Parse(form.layout, text); err == nil {
			if strings.Contains(text, ".") {
				return t, time.Microsecond, true
			}
			return t, form.precision, true
		}
	}
	return time.Time{}, 0, false
}
