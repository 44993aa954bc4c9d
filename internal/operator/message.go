package operator

import (
	"net/http"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// messageView is what became of a message, and why. It holds no text and no destination: whoever runs the installation needs neither.
type messageView struct {
	MessageUUID string     `json:"message_uuid"`
	AuthID      string     `json:"auth_id"`
	State       string     `json:"state"`
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
	Deferred    int        `json:"deferred"`        // how often the carrier could not take it for the moment
	Detail      string     `json:"carrier_detail,omitempty"`
	AcceptedAt  time.Time  `json:"accepted_at"`
	ExpiresAt   time.Time  `json:"expires_at"`
	DueAt       *time.Time `json:"due_at"` // of the next attempt; null: none is waiting for its time
	SentAt      *time.Time `json:"sent_at"`
	ReportedAt  *time.Time `json:"reported_at"`
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
	view := messageView{
		MessageUUID: m.ID.String(), AuthID: string(m.Account), State: m.State.String(), Sender: senderOf(m), ChosenBy: m.PickedBy.String(),
		Country: m.Country, Carrier: m.Carrier, Units: m.Units, Parts: m.Parts, Taken: parts(m.Taken), Refused: parts(m.Refused),
		Delivered: parts(m.Progress.Delivered), Deferred: m.Attempt, Detail: m.Detail, AcceptedAt: m.AcceptedAt.UTC(), ExpiresAt: m.ExpiresAt.UTC(),
		DueAt: moment(m.DueAt), SentAt: moment(m.SentAt), ReportedAt: moment(m.ReportedAt), Events: m.Sequence,
	}
	if !m.Powerpack.IsZero() {
		view.Powerpack = m.Powerpack.String()
	}
	return http.StatusOK, view, nil
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
