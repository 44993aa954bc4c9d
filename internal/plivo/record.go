package plivo

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// record is a message as the contract shows it, in lists. Clients parse it strictly: codes and amounts are strings, units are an integer.
type record struct {
	MessageUUID                     string  `json:"message_uuid"`
	MessageTime                     string  `json:"message_time"`
	MessageDirection                string  `json:"message_direction"`
	MessageState                    string  `json:"message_state"`
	MessageType                     string  `json:"message_type"`
	FromNumber                      string  `json:"from_number"`
	ToNumber                        string  `json:"to_number"`
	Units                           int     `json:"units"`
	TotalRate                       string  `json:"total_rate"`
	TotalAmount                     string  `json:"total_amount"`
	CarrierFeesRate                 string  `json:"carrier_fees_rate"`
	CarrierFees                     string  `json:"carrier_fees"`
	ErrorCode                       *string `json:"error_code"`
	ErrorMessage                    string  `json:"error_message"`
	ResourceURI                     string  `json:"resource_uri"`
	PowerpackID                     string  `json:"powerpack_id"`
	RequesterIP                     string  `json:"requester_ip"`
	IsDomestic                      *bool   `json:"is_domestic"`
	ReplacedSender                  string  `json:"replaced_sender"`
	TendlcCampaignID                string  `json:"tendlc_campaign_id"`
	TendlcRegistrationStatus        string  `json:"tendlc_registration_status"`
	DestinationCountryISO2          string  `json:"destination_country_iso2"`
	DestinationNetwork              string  `json:"destination_network"`
	ConversationID                  string  `json:"conversation_id"`
	ConversationOrigin              string  `json:"conversation_origin"`
	ConversationExpirationTimestamp string  `json:"conversation_expiration_timestamp"`
	DLTEntityID                     string  `json:"dlt_entity_id"`
	DLTTemplateID                   string  `json:"dlt_template_id"`
	DLTTemplateCategory             string  `json:"dlt_template_category"`
	Log                             string  `json:"log"`
	MessageExpiry                   int     `json:"message_expiry"`
	MessageSentTime                 *string `json:"message_sent_time"`
	MessageUpdatedTime              *string `json:"message_updated_time"`
	EstimatedSendTime               *string `json:"estimated_send_time"` // an addition of ours; null unless it waits to be sent
}

// singleRecord is a message as the contract shows it alone.
type singleRecord struct {
	APIID string `json:"api_id"`
	record
}

func (a *API) getMessage(c *call) (answer, error) {
	id, ok := gateway.ParseID(c.param(paramID))
	if !ok {
		return answer{}, errNotFound
	}
	m, err := a.store.Message(c.context(), c.accountID(), id)
	if err != nil {
		return answer{}, err
	}
	shown, err := a.records(c, m.Account, []*gateway.Message{m})
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, singleRecord{c.id.String(), shown[0]}}, nil
}

// records shows messages of an account. When those that wait are expected to leave is asked for once for all of them; without an answer, the rest is shown.
func (a *API) records(c *call, owner gateway.AccountID, messages []*gateway.Message) ([]record, error) {
	shown := make([]record, len(messages))
	var waiting []*gateway.Message
	var places []int
	for i, m := range messages {
		shown[i] = newRecord(c, m)
		if m.Direction == gateway.Outbound && m.State == gateway.Queued {
			waiting, places = append(waiting, m), append(places, i)
		}
	}
	if err := a.showCampaigns(c, owner, messages, shown); err != nil {
		return nil, err
	}
	if len(waiting) == 0 {
		return shown, nil
	}
	times, err := a.estimate(c.context(), waiting)
	if err != nil {
		a.log.Warn("when messages will be sent could not be told", "api_id", c.id.String(), "err", err)
		return shown, nil
	}
	for i, at := range times {
		shown[places[i]].EstimatedSendTime = timeOrNull(at)
	}
	return shown, nil
}

// showCampaigns shows what the senders of messages are registered for now: only long codes of the United States are at all.
func (a *API) showCampaigns(c *call, owner gateway.AccountID, messages []*gateway.Message, shown []record) error {
	senders := map[string]bool{}
	for _, m := range messages {
		if m.Direction == gateway.Outbound && m.From != "" {
			senders[m.From] = true
		}
	}
	if len(senders) == 0 {
		return nil
	}
	numbers, err := a.store.NumbersOf(c.context(), owner, slices.Collect(maps.Keys(senders)))
	if err != nil {
		return err
	}
	for i, m := range messages {
		n, ok := numbers[m.From]
		if !ok || m.Direction != gateway.Outbound || !n.Linkable() {
			continue
		}
		shown[i].TendlcCampaignID, shown[i].TendlcRegistrationStatus = n.Campaign, unregisteredSender
		if n.Campaign != "" {
			shown[i].TendlcRegistrationStatus = registeredSender
		}
	}
	return nil
}

func newRecord(c *call, m *gateway.Message) record {
	named, price := outcomeOf(m), priceOf(m, m.State)
	from, to := shownNumbers(m)
	return record{
		MessageUUID: m.ID.String(), MessageTime: recordTime(m.AcceptedAt), MessageDirection: m.Direction.String(),
		MessageState: m.State.String(), MessageType: m.Service.String(), FromNumber: from, ToNumber: to, Units: m.Units,
		TotalRate: price.rate, TotalAmount: price.amount, CarrierFeesRate: price.feesRate, CarrierFees: price.fees,
		ErrorCode: stringOrNull(named.code), ErrorMessage: errorMessage(m, named),
		ResourceURI: "/v1/Account/" + string(m.Account) + "/Message/" + m.ID.String() + "/", PowerpackID: idOrEmpty(m.Powerpack), RequesterIP: m.Requester,
		IsDomestic: isDomestic(m), DestinationCountryISO2: m.Country, DestinationNetwork: networkOf(m),
		DLTEntityID: m.DLT.EntityID, DLTTemplateID: m.DLT.TemplateID, DLTTemplateCategory: m.DLT.TemplateCategory,
		Log: logName(m.Log), MessageExpiry: expirySeconds(m),
		MessageSentTime: timeOrNull(m.SentAt), MessageUpdatedTime: timeOrNull(m.UpdatedAt),
	}
}

// errorMessage is what the code says and, of a message that no carrier got for its media, what was wrong with these: that is ours to say, and the account's
// to put right. A carrier's own words are not shown.
func errorMessage(m *gateway.Message, named reasonCode) string {
	if m.State == gateway.Failed && m.Direction == gateway.Outbound && m.Service == gateway.MMS && m.Parts == 0 && m.Detail != "" {
		return named.text + ": " + m.Detail
	}
	return named.text
}

// networkOf is the network that a message was sent to, where its number tells it and may be shown.
func networkOf(m *gateway.Message) string {
	if m.Direction != gateway.Outbound || m.Log.HidesNumber() {
		return ""
	}
	return numbering.Network(m.To)
}

// price is what a message costs, as the contract writes it: decimals as texts, five places. What the account pays is amount and fees.
type price struct{ rate, amount, feesRate, fees string }

// priceOf is what a message costs in a state. One that has failed is not charged.
func priceOf(m *gateway.Message, state gateway.State) price {
	p := m.Price
	if p.IsZero() || state == gateway.Failed {
		return price{nothing, nothing, nothing, nothing}
	}
	return price{p.Rate.String(), p.Rate.Times(m.Units).String(), p.Fee.String(), p.Fee.Times(m.Units).String()}
}

// unheard is what is said of a message from a handset that no application took. The contract has no code for it.
const unheard = "The application could not be told of the message"

// outcomeOf is the code and the words of a record. Of a message from a handset the words are what there is to say of how it came, and of what the
// application answered.
func outcomeOf(m *gateway.Message) reasonCode {
	switch {
	case m.Direction == gateway.Outbound:
		return codeOf(m.State, m.Reason)
	case m.State == gateway.Undelivered && m.Detail == "":
		return reasonCode{text: unheard}
	case m.State == gateway.Undelivered:
		return reasonCode{text: unheard + "; " + m.Detail}
	}
	return reasonCode{codeOf(m.State, m.Reason).code, m.Detail}
}

// expirySeconds is how long a message might wait to be sent; 0 when it never did.
func expirySeconds(m *gateway.Message) int {
	return int(max(0, m.ExpiresAt.Sub(m.AcceptedAt)) / time.Second)
}

// nothing is an amount of no money.
const nothing = "0.00000"

// shownNumbers are the message's numbers, as far as its log setting lets them be shown. It covers the number of the person: that a message goes
// to, or comes from.
func shownNumbers(m *gateway.Message) (from, to string) {
	if !m.Log.HidesNumber() {
		return m.From, m.To
	}
	if m.Direction == gateway.Inbound {
		return masked(m.From), m.To
	}
	return m.From, masked(m.To)
}

// masked covers the last three digits.
func masked(number string) string { return number[:max(0, len(number)-3)] + "***" }

func logName(mode gateway.LogMode) string {
	switch mode {
	case gateway.LogNothing:
		return "false"
	case gateway.LogContentOnly:
		return "content_only"
	case gateway.LogNumberOnly:
		return "number_only"
	}
	return "true"
}

// isDomestic tells whether a message stays in one country; nil when one of the two is not known.
func isDomestic(m *gateway.Message) *bool {
	from, ok := numbering.Destination(m.From)
	if !ok || from.Country == "" || m.Country == "" {
		return nil
	}
	same := from.Country == m.Country
	return &same
}

// recordTime is a time as records have it.
func recordTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000000+00:00") }

// stamp is a time as powerpacks and pools have it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func timeOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := recordTime(t)
	return &text
}

func stringOrNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func idOrEmpty(id gateway.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}
