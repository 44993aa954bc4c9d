package operator

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// messageView is what became of a message, and why. It holds no text and no destination: whoever runs the installation needs neither.
type messageView struct {
	MessageUUID string     `json:"message_uuid"`
	AuthID      string     `json:"auth_id"`
	Direction   string     `json:"direction"`
	Type        string     `json:"type"`
	State       string     `json:"state"`
	Reason      string     `json:"reason"` // why it failed or was not delivered; empty: it did neither
	Sender      string     `json:"sender"`
	ChosenBy    string     `json:"sender_chosen_by"`
	Powerpack   string     `json:"powerpack_uuid,omitempty"`
	Country     string     `json:"destination_country_iso2"`
	Carrier     string     `json:"carrier"`
	Units       int        `json:"units"`
	Parts       int        `json:"parts"`           // into which the carrier took it; 0: not submitted yet
	Taken       []int      `json:"parts_taken"`     // by the carrier
	Refused     []int      `json:"parts_refused"`   // by the carrier
	Delivered   []int      `json:"parts_delivered"` // as receipts say
	Media       int        `json:"media"`           // files that it names, as long as they are kept
	Deferred    int        `json:"deferred"`        // how often the carrier could not take it for the moment
	Detail      string     `json:"carrier_detail,omitempty"`
	Cost        string     `json:"cost"` // that its account pays, or will when a carrier has taken it
	Log         string     `json:"log"`
	Trackable   bool       `json:"trackable"`
	Requester   string     `json:"requester_ip"`
	AcceptedAt  time.Time  `json:"accepted_at"`
	ExpiresAt   time.Time  `json:"expires_at"`
	DueAt       *time.Time `json:"due_at"` // of the next attempt; null: none is waiting for its time
	SentAt      *time.Time `json:"sent_at"`
	ReportedAt  *time.Time `json:"reported_at"`
	UpdatedAt   *time.Time `json:"updated_at"`
	Events      int        `json:"events"`
}

// showMessage shows one message.
func (a *API) showMessage(r *http.Request) (int, any, error) {
	id, err := pathID(r)
	if err != nil {
		return 0, nil, err
	}
	m, err := a.Store.Message(r.Context(), gateway.AccountID(r.PathValue("auth_id")), id)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, viewMessage(m), nil
}

func viewMessage(m *gateway.Message) messageView {
	view := messageView{
		MessageUUID: m.ID.String(), AuthID: string(m.Account), Direction: "outbound", Type: m.Service.String(), State: m.State.String(),
		Reason: reasons[m.Reason], Sender: senderOf(m), ChosenBy: m.PickedBy.String(), Country: m.Country, Carrier: m.Carrier, Units: m.Units,
		Parts: m.Parts, Taken: parts(m.Taken), Refused: parts(m.Refused), Delivered: parts(m.Progress.Delivered), Media: len(m.MediaURLs) + len(m.MediaIDs),
		Deferred: m.Attempt, Detail: m.Detail, Cost: m.Cost().String(), Log: logModes[m.Log], Trackable: m.Trackable, Requester: m.Requester,
		AcceptedAt: m.AcceptedAt.UTC(), ExpiresAt: m.ExpiresAt.UTC(), DueAt: moment(m.DueAt), SentAt: moment(m.SentAt),
		ReportedAt: moment(m.ReportedAt), UpdatedAt: moment(m.UpdatedAt), Events: m.Sequence,
	}
	if m.Direction == gateway.Inbound {
		view.Direction = "inbound"
	}
	if m.State == gateway.Failed { // which costs nothing
		view.Cost = gateway.Money(0).String()
	}
	if !m.Powerpack.IsZero() {
		view.Powerpack = m.Powerpack.String()
	}
	return view
}

// reasons says reasons in words.
var reasons = map[gateway.Reason]string{
	gateway.InvalidMessage: "the carrier called its content invalid", gateway.NetworkError: "trouble in the carrier's network",
	gateway.Spam: "stopped by a filter of the carrier", gateway.InvalidSource: "its sender is malformed, not enabled or not the account's",
	gateway.InvalidDestination: "its destination is malformed or cannot receive", gateway.Loop: "two automatic answerers answer each other",
	gateway.DestinationGone: "its destination is gone for good", gateway.DestinationAway: "its destination is off or out of coverage",
	gateway.NoRoute: "no carrier takes messages to there", gateway.Prohibited: "the network does not allow it", gateway.TooLong: "more than the network carries",
	gateway.MediaTooLarge: "its media are larger than MMS carries", gateway.OptedOut: "the destination asked its sender to stop",
	gateway.TollFreeToCanada: "toll-free numbers of the US do not reach Canada", gateway.DispatchFailed: "it could not be dispatched",
	gateway.Expired: "it waited longer than its expiry", gateway.CountryBarred: "the account does not send to that country",
	gateway.ThresholdExceeded: "beyond the hourly threshold", gateway.NoCredit: "the account's balance does not cover it",
	gateway.AccountDisabled: "the account was switched off", gateway.UnknownReason: "the carrier gave no reason",
}

// logModes are the settings of log, as accounts give them.
var logModes = map[gateway.LogMode]string{
	gateway.LogAll: "true", gateway.LogNothing: "false", gateway.LogContentOnly: "content_only", gateway.LogNumberOnly: "number_only",
}

// listMessages shows messages of all accounts, or of those that are asked for, newest first.
func (a *API) listMessages(r *http.Request) (int, any, error) {
	query, err := params(r, "auth_id", "state", "direction", "type", "sender", "country_iso2", "powerpack_uuid", "campaign", "from", "until", "limit", "offset")
	if err != nil {
		return 0, nil, err
	}
	filter, err := messageFilter(query)
	if err != nil {
		return 0, nil, err
	}
	messages, total, err := a.Store.Messages(r.Context(), filter)
	if err != nil {
		return 0, nil, err
	}
	views := make([]messageView, len(messages))
	for i, m := range messages {
		views[i] = viewMessage(m)
	}
	return http.StatusOK, map[string]any{"messages": views, "total": total}, nil
}

// messageFilter reads which messages are wanted.
func messageFilter(query url.Values) (filter gateway.MessageFilter, err error) {
	filter.From, filter.Campaign = numbering.SanitizeSource(query.Get("sender")), query.Get("campaign")
	if query.Get("sender") != "" && filter.From == "" {
		return filter, gateway.Errorf(gateway.Invalid, "sender must be a number, a short code or an alphanumeric sender")
	}
	if filter.Limit, filter.Offset, err = pageParams(query); err != nil {
		return filter, err
	}
	if filter.Account, err = accountParam(query); err != nil {
		return filter, err
	}
	if filter.After, err = timeParam(query, "from", time.Time{}); err != nil {
		return filter, err
	}
	if filter.Before, err = timeParam(query, "until", time.Time{}); err != nil {
		return filter, err
	}
	if filter.Country = strings.ToUpper(query.Get("country_iso2")); filter.Country != "" && !isCountry(filter.Country) {
		return filter, gateway.Errorf(gateway.Invalid, "country_iso2 must be a country's two letters")
	}
	return filter, messageKinds(query, &filter)
}

// messageKinds reads the parts of a filter that are one of a few words.
func messageKinds(query url.Values, filter *gateway.MessageFilter) error {
	if text := query.Get("state"); text != "" {
		state, ok := gateway.ParseState(strings.ToLower(text))
		if !ok {
			return gateway.Errorf(gateway.Invalid, "state must be queued, sent, delivered, undelivered, failed or received")
		}
		filter.State = &state
	}
	if text := query.Get("type"); text != "" {
		service, ok := gateway.ParseService(strings.ToLower(text))
		if !ok {
			return gateway.Errorf(gateway.Invalid, "type must be sms or mms")
		}
		filter.Service = service
	}
	if text := query.Get("powerpack_uuid"); text != "" {
		id, ok := gateway.ParseID(text)
		if !ok {
			return gateway.Errorf(gateway.Invalid, "powerpack_uuid must be a UUID")
		}
		filter.Powerpack = id
	}
	switch direction := strings.ToLower(query.Get("direction")); direction {
	case "":
	case "outbound", "inbound":
		way := gateway.Outbound
		if direction == "inbound" {
			way = gateway.Inbound
		}
		filter.Direction = &way
	default:
		return gateway.Errorf(gateway.Invalid, "direction must be outbound or inbound")
	}
	return nil
}

// senderOf is the sender, but of an inbound message not the whole number of the person.
func senderOf(m *gateway.Message) string {
	if m.Direction == gateway.Inbound {
		return masked(m.From)
	}
	return m.From
}

// moment is a time as JSON shows it, null when it has not come.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// parts lists the members of a mask.
func parts(mask gateway.PartMask) []int {
	list := []int{}
	for n := 1; n <= gateway.MaxParts; n++ {
		if mask.Has(n) {
			list = append(list, n)
		}
	}
	return list
}
