package plivo

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// The places of a path's parameters below 10dlc, which has a segment more.
const (
	paramRegistered = 5
	paramLinked     = 7
)

// textArgument is a text that an account tells of what it registers.
type textArgument struct {
	name     string
	to       *string
	words    []string // one of which it must be, in any case; none: any text
	shortest int      // in characters, when it is given
	longest  int
	required bool
	lasting  bool // an empty one leaves what is there, as of those that are required or one of some words: clients send what was not set as ""
	upper    bool // it is kept in capitals
}

// longestDetail bounds texts of which nothing else is said.
const longestDetail = 4096

// readDetails reads texts. Where one is absent, the one that is there stays; a required one must be there in the end.
func readDetails(args arguments, fields []textArgument) error {
	for _, f := range fields {
		given, err := args.given(f.name)
		if err != nil {
			return err
		}
		if given != nil {
			text, err := f.check(strings.TrimSpace(*given))
			if err != nil {
				return err
			}
			if text != "" || !f.stays() {
				*f.to = text
			}
		}
		if f.required && *f.to == "" {
			return missing(f.name)
		}
	}
	return nil
}

// stays tells whether the text can be changed but not taken away.
func (f *textArgument) stays() bool { return f.required || f.lasting || len(f.words) > 0 }

func missing(name string) error {
	return gateway.Errorf(gateway.Invalid, "%s parameter not present", name)
}

func (f *textArgument) check(text string) (string, error) {
	if f.longest == 0 {
		f.longest = longestDetail
	}
	n := len([]rune(text))
	switch {
	case text == "":
		return "", nil
	case n > f.longest:
		return "", gateway.Errorf(gateway.Invalid, "%s must have at most %d characters", f.name, f.longest)
	case n < f.shortest:
		return "", gateway.Errorf(gateway.Invalid, "%s must have at least %d characters", f.name, f.shortest)
	case f.upper:
		return strings.ToUpper(text), nil
	case len(f.words) == 0:
		return text, nil
	}
	if i := slices.IndexFunc(f.words, func(word string) bool { return foldEqual(word, text) }); i >= 0 {
		return f.words[i], nil
	}
	return "", gateway.Errorf(gateway.Invalid, "%s must be one of %s", f.name, strings.Join(f.words, ", "))
}

// group reads an argument that has arguments of its own: an object, or in a form the text of one. nil: absent.
func (a arguments) group(name string) (arguments, error) {
	v, ok := a.find(name)
	if !ok {
		return nil, nil
	}
	if v.kind == isText {
		if inner, err := parseJSON(v.text); err == nil {
			v = inner
		}
	}
	if v.kind != isObject {
		return nil, gateway.Errorf(gateway.Invalid, "%s must be an object", name)
	}
	return v.members, nil
}

// newUUID is the id of a new registration that has a UUID for one.
func (a *API) newUUID(c *call) string { return a.ids.Next(c.at).String() }

// newRegistryID is the id of a new brand ("B") or campaign ("C").
func (a *API) newRegistryID(letter byte) string {
	var random [6]byte
	a.random(random[:])
	return gateway.NewRegistryID(letter, random)
}

// encodeDetails makes details of what an account told.
func encodeDetails(details any) []byte {
	text, err := json.Marshal(details)
	if err != nil { // plain structs of texts and truth values: cannot happen
		panic(err)
	}
	return text
}

// details reads what an account told.
func details[T any](r *gateway.Registration) (told T, err error) {
	err = json.Unmarshal(r.Details, &told)
	return told, err
}

// readStatusHook reads where an account wants to be told of what is decided.
func readStatusHook(args arguments, url, method string, to *gateway.Callback) error {
	if to.Method == "" {
		to.Method = http.MethodPost
	}
	return readHook(args, url, method, to)
}

// registrationStatuses are the words of 10DLC for what was decided.
var registrationStatuses = [...]string{gateway.Pending: "PROCESSING", gateway.Approved: "COMPLETED", gateway.Refused: "FAILED", gateway.Incomplete: "FAILED"}

// verificationStatuses are those of toll-free verification.
var verificationStatuses = [...]string{
	gateway.Pending: "SUBMITTED", gateway.Approved: "APPROVED", gateway.Refused: "REJECTED", gateway.Incomplete: "UPDATE_REQUIRED",
}

// statesOf are the states that a word stands for.
func statesOf(words []string, text string) (states []gateway.RegistrationState) {
	for state, word := range words {
		if foldEqual(word, text) {
			states = append(states, gateway.RegistrationState(state))
		}
	}
	return states
}

// readStates reads a filter by what was decided. some is false when no word fits.
func readStates(args arguments, words []string, filter *gateway.RegistrationFilter, names ...string) (some bool, err error) {
	for _, name := range names {
		text, err := args.text(name)
		if err != nil {
			return false, err
		}
		if text == "" {
			continue
		}
		filter.States = statesOf(words, text)
		return len(filter.States) > 0, nil
	}
	return true, nil
}

// detailFilter is an argument that narrows a list by a member of details.
type detailFilter struct {
	name   string
	member string
	words  []string // that the member may have, in any case; none: any text, as it is
}

// readDetailFilters reads filters that look into details.
func readDetailFilters(args arguments, filter *gateway.RegistrationFilter, filters []detailFilter) error {
	filter.Details = map[string]string{}
	for _, f := range filters {
		text, err := args.text(f.name)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(f.words, func(word string) bool { return foldEqual(word, text) }); i >= 0 {
			text = f.words[i]
		}
		if text != "" {
			filter.Details[f.member] = text
		}
	}
	return nil
}

// registrations lists a page of a kind of what the account registered: nothing, unless some can fit.
func (a *API) registrations(c *call, filter gateway.RegistrationFilter, p page, some bool) ([]gateway.Registration, int, error) {
	if !some {
		return nil, 0, nil
	}
	filter.Account, filter.Limit, filter.Offset = c.accountID(), p.limit, p.offset
	return a.store.Registrations(c.context(), filter)
}

// registrationList is how a kind of registration is listed.
type registrationList[T any] struct {
	kind gateway.RegistrationKind
	path string // behind the account's
	// filter reads what narrows the list. some is false when nothing can fit.
	filter func(c *call, args arguments, filter *gateway.RegistrationFilter) (some bool, err error)
	show   func(*gateway.Registration) (T, error)
}

// page lists the page that the caller asks for.
func (l registrationList[T]) page(c *call) ([]T, meta, error) {
	args, err := c.args()
	if err != nil {
		return nil, meta{}, err
	}
	p, err := readPage(args)
	if err != nil {
		return nil, meta{}, err
	}
	filter := gateway.RegistrationFilter{Kind: l.kind}
	some, err := l.filter(c, args, &filter)
	if err != nil {
		return nil, meta{}, err
	}
	found, total, err := c.api.registrations(c, filter, p, some)
	if err != nil {
		return nil, meta{}, err
	}
	shown := make([]T, len(found))
	for i := range found {
		if shown[i], err = l.show(&found[i]); err != nil {
			return nil, meta{}, err
		}
	}
	return shown, newMeta(c.resource(l.path), args, p, total), nil
}

// changeRegistration changes what the account registered as the call's arguments say.
func (a *API) changeRegistration(c *call, kind gateway.RegistrationKind, id string, change func(arguments, *gateway.Registration) error) error {
	args, err := c.args()
	if err != nil {
		return err
	}
	return a.store.ChangeRegistration(c.context(), c.accountID(), kind, id, func(r *gateway.Registration) error {
		if err := change(args, r); err != nil {
			return err
		}
		r.Modify(c.at)
		return nil
	})
}

// instant is a time as registrations have it.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z07:00") }
