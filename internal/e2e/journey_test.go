package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/heliograph/heliograph/docs/docstest"
)

// submitLine is a submit_sm as the foreign SMSC saw it.
type submitLine struct {
	ID, From, To, Text      string
	FromTON, FromNPI, ToTON int
	ToNPI, DataCoding       int
	UDH                     []string
	RegisteredDelivery      int
	At, NotBefore           float64 // see smsc.js
}

// smscLine is a line of the foreign SMSC.
type smscLine struct {
	Bind            string
	Unbind          bool
	Submit          *submitLine
	ReceiptAnswered *int
	Delivered       *int // what a deliver_sm of standard input was answered
}

// callbackLine is a request that the verifying sink got.
type callbackLine struct {
	Callback struct {
		Method, Path, ContentType string
		Form, Query               map[string]string
		V2, MaV2, V3, MaV3        bool
		Forged                    bool
	}
}

// nextSubmit reads the SMSC's lines up to its next submit_sm.
func nextSubmit(t testing.TB, smsc *nodeProgram) *submitLine {
	t.Helper()
	for {
		var line smscLine
		smsc.next(t, &line)
		if line.Submit != nil {
			return line.Submit
		}
	}
}

// nextCallback reads the sink's next request and checks its signatures with what the official client says of them.
func nextCallback(t testing.TB, sink *nodeProgram) *callbackLine {
	t.Helper()
	var line callbackLine
	sink.next(t, &line)
	c := &line.Callback
	if !c.V2 || !c.MaV2 || !c.V3 || !c.MaV3 || c.Forged {
		t.Errorf("signatures of %s %s: V2 %v, main V2 %v, V3 %v, main V3 %v, with a wrong token %v", c.Method, c.Path, c.V2, c.MaV2, c.V3, c.MaV3, c.Forged)
	}
	document, err := docstest.Load()
	if err != nil {
		t.Fatal(err)
	}
	parameters := c.Form
	if c.Method == http.MethodGet {
		parameters = maps.Clone(c.Query)
		for _, own := range []string{"who", "empty"} { // what the address has itself
			delete(parameters, own)
		}
	}
	if err := document.CheckCallback(c.Method, parameters); err != nil {
		t.Errorf("the callback %s %s %v is not what openapi.yaml says: %v", c.Method, c.Path, parameters, err)
	}
	return &line
}

// TestJourney is the main job with nothing of ours at its ends: the official client sends through a powerpack, an SMSC made by others takes the
// parts and reports them, a sink verifies every callback with the official client's validators.
func TestJourney(t *testing.T) {
	smsc := node(t, "smsc.js")
	sink := node(t, "sink.js", "AUTH_TOKEN="+authToken)
	server := serve(t, t.TempDir(), smppConfig(fmt.Sprintf("127.0.0.1:%d", smsc.port(t)), ""))
	url := server.url(t)
	statusURL := fmt.Sprintf("http://127.0.0.1:%d/sms_status/?who=e2e", sink.port(t))
	operator := newAccount(t, url)
	client := newOfficialClient(t, url)

	operator.operate(t, http.MethodPost, "/numbers", map[string]any{"numbers": []map[string]any{
		{"number": "14155550100", "auth_id": authID, "services": []string{"sms", "mms"}},
		{"number": "12125550100", "auth_id": authID, "services": []string{"sms", "mms"}},
	}}).want(t, http.StatusOK)

	var pack struct{ UUID, Name, NumberPool string }
	client.must(t, &pack, list("powerpacks", "create", list("e2e", map[string]any{})))
	for _, number := range []string{"14155550100", "12125550100"} {
		client.must(t, nil, list("powerpacks", "get", list(pack.UUID)), list("add_number", list(number)))
	}

	var sent struct {
		MessageUUID []string
		APIID       string `json:"apiId"`
		Message     string
	}
	text := strings.Repeat("Sunlight travels far. ", 10) // 220 septets: two segments
	client.must(t, &sent, list("messages", "create", list(map[string]any{
		"powerpackUUID": pack.UUID, "dst": "+1 (212) 555-0199", "text": text, "url": statusURL, "method": "POST",
	})))
	if len(sent.MessageUUID) != 1 || sent.Message != "message(s) queued" {
		t.Fatalf("the client got %+v", sent)
	}
	id := sent.MessageUUID[0]

	joined, references := "", map[string]bool{}
	for part := 1; part <= 2; part++ {
		s := nextSubmit(t, smsc)
		if s.From != "12125550100" || s.To != "12125550199" {
			t.Errorf("part %d went from %s to %s; the sender of the destination's area code was wanted", part, s.From, s.To)
		}
		if s.FromTON != 1 || s.FromNPI != 1 || s.ToTON != 1 || s.ToNPI != 1 || s.RegisteredDelivery != 1 || s.DataCoding != 0 {
			t.Errorf("part %d: %+v", part, s)
		}
		if len(s.UDH) != 1 || !strings.HasPrefix(s.UDH[0], "0003") || !strings.HasSuffix(s.UDH[0], fmt.Sprintf("02%02d", part)) {
			t.Errorf("part %d has the user data header %v", part, s.UDH)
		} else {
			references[s.UDH[0][:6]] = true
		}
		joined += s.Text
	}
	if joined != text || len(references) != 1 {
		t.Errorf("the parts join to %q with the references %v", joined, references)
	}

	for i, state := range []string{"queued", "sent", "delivered"} {
		c := nextCallback(t, sink).Callback
		f := c.Form
		if c.Method != "POST" || c.Query["who"] != "e2e" || f["MessageUUID"] != id || f["Status"] != state || f["Sequence"] != fmt.Sprint(i+1) ||
			f["Units"] != "2" || f["From"] != "12125550100" || f["To"] != "12125550199" || f["PowerpackUUID"] != pack.UUID {
			t.Errorf("callback %d: %+v", i+1, c)
		}
	}

	var record struct {
		MessageUUID, MessageState, FromNumber, ToNumber, ErrorCode, PowerpackID string
		Units                                                                   int
	}
	client.must(t, &record, list("messages", "get", list(id)))
	if record.MessageState != "delivered" || record.Units != 2 || record.ErrorCode != "000" || record.FromNumber != "12125550100" {
		t.Errorf("the client reads %+v", record)
	}
	var found struct {
		Objects []struct{ MessageUUID string }
	}
	client.must(t, &found, list("messages", "list", list(map[string]any{"message_state": "delivered", "limit": 5})))
	if len(found.Objects) != 1 || found.Objects[0].MessageUUID != id {
		t.Errorf("the client lists %+v", found)
	}

	if status, _ := server.terminate(t); status != 0 {
		t.Errorf("the server ended with status %d", status)
	}
	awaitUnbind(t, smsc)
}

// awaitUnbind reads the SMSC's lines up to the unbind: the receipts must all have been answered with ESME_ROK until then.
func awaitUnbind(t testing.TB, smsc *nodeProgram) {
	t.Helper()
	for {
		var line smscLine
		smsc.next(t, &line)
		if line.ReceiptAnswered != nil && *line.ReceiptAnswered != 0 {
			t.Errorf("a receipt was answered with command_status %d", *line.ReceiptAnswered)
		}
		if line.Unbind {
			return
		}
	}
}

// TestForeignSMSCTakesEveryAlphabet sends texts of both alphabets through the foreign SMSC and reads them back as it decoded them.
func TestForeignSMSCTakesEveryAlphabet(t *testing.T) {
	smsc := node(t, "smsc.js")
	server := serve(t, t.TempDir(), smppConfig(fmt.Sprintf("127.0.0.1:%d", smsc.port(t)), ""))
	customer := newAccount(t, server.url(t))
	pack := customer.powerpack(t, "alphabets", "14155550100")
	for _, text := range []string{
		"@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ÄÖÑÜ§¿äöñüà",
		"brackets [a] {b} | ~ ^ \\ and 5 €",
		"Привет, мир",
		"emoji 😀 and 漢字",
	} {
		id := customer.call(t, http.MethodPost, "/Message/", map[string]any{"powerpack_uuid": pack, "dst": destination(1), "text": text}).messages(t)[0]
		if s := nextSubmit(t, smsc); s.Text != text {
			t.Errorf("sent %q, the SMSC read %q with data_coding %d", text, s.Text, s.DataCoding)
		}
		customer.awaitState(t, id, "delivered")
	}
}

// TestClientBuysNumbers: the official client's buy_add_number finds a number in the inventory, rents it and puts it into the pool, and
// counts, lists and removes what is there.
func TestClientBuysNumbers(t *testing.T) {
	server := serve(t, t.TempDir(), "")
	client := newOfficialClient(t, server.url(t))
	var pack struct{ UUID string }
	client.must(t, &pack, list("powerpacks", "create", list("buyers", map[string]any{})))
	get := list("powerpacks", "get", list(pack.UUID))
	client.must(t, nil, get, list("buy_add_number", list(map[string]any{"country_iso2": "US", "type": "local", "pattern": "408"})))
	client.must(t, nil, get, list("buy_add_number", list(map[string]any{"number": "16195550100"})))
	var count int
	client.must(t, &count, get, list("count_numbers", list(map[string]any{})))
	if count != 2 {
		t.Errorf("the pool counts %d numbers", count)
	}
	var found struct{ Number, CountryIso2 string }
	client.must(t, &found, get, list("find_number", list("16195550100")))
	if found.Number != "16195550100" || found.CountryIso2 != "US" {
		t.Errorf("found %+v", found)
	}
	client.must(t, nil, get, list("remove_number", list("16195550100", true)))
	if err := client.call(t, nil, get, list("find_number", list("16195550100"))); err == nil {
		t.Error("a removed number is still found")
	}
}

// TestClientErrors: refusals reach the official client as the exceptions that it has for them.
func TestClientErrors(t *testing.T) {
	server := serve(t, t.TempDir(), "")
	client := newOfficialClient(t, server.url(t))
	cases := []struct {
		name    string
		step    []any
		message string
	}{
		{"invalid destination", list("messages", "create", list(map[string]any{"src": "14155550100", "dst": "1111111", "text": "x"})), "'1111111' is not a valid phone number."},
		{"unknown message", list("messages", "get", list("018f0000-0000-7000-8000-000000000000")), "not found"},
		{"unknown powerpack", list("powerpacks", "get", list("018f0000-0000-7000-8000-000000000000")), "not found"},
	}
	for _, c := range cases {
		err := client.call(t, nil, c.step)
		if err == nil || !strings.Contains(err.Message, c.message) {
			t.Errorf("%s: the client threw %+v, wanted %q", c.name, err, c.message)
		}
	}
}
