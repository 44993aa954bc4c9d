package esme

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
)

// statuses reads the specification's table of command_status.
func statuses(t *testing.T) map[smpp.Status]string {
	t.Helper()
	file, err := os.Open("../smpp/testdata/statuses.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	found := map[smpp.Status]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || fields[0] == "#" {
			continue
		}
		value, err := strconv.ParseUint(fields[1], 0, 32)
		if err != nil {
			t.Fatal(err)
		}
		found[smpp.Status(value)] = fields[0]
	}
	if len(found) < 40 {
		t.Fatalf("read only %d statuses", len(found))
	}
	return found
}

// TestAnswers: every status of the table has an outcome that settles something or waits, and a reason exactly when it is rejected.
func TestAnswers(t *testing.T) {
	var c Config
	for status, name := range statuses(t) {
		o, _ := c.outcome(smpp.Response{Status: status, PDU: &smpp.SubmitSMResp{MessageID: "7"}}, nil)
		switch o.Status {
		case gateway.Accepted:
			if status != smpp.ESME_ROK || o.CarrierID != "7" {
				t.Errorf("%s: accepted with id %q", name, o.CarrierID)
			}
		case gateway.Rejected, gateway.Throttled, gateway.Deferred:
			if o.Detail != name {
				t.Errorf("%s: the operator is told %q", name, o.Detail)
			}
		default:
			t.Errorf("%s: outcome %d", name, o.Status)
		}
		if (o.Reason != gateway.NoReason) != (o.Status == gateway.Rejected) {
			t.Errorf("%s: outcome %d with reason %d", name, o.Status, o.Reason)
		}
	}
}

func TestOutcome(t *testing.T) {
	encoding := &smpp.Error{Command: smpp.CommandSubmitSM, Field: "source_addr", Octet: -1, Reason: "longer than 20 octets"}
	c := Config{Answers: map[smpp.Status]Answer{
		0x401: {Status: gateway.Deferred}, smpp.ESME_RMSGQFUL: {Status: gateway.Rejected, Reason: gateway.DestinationAway},
	}}
	submitted, nack := &smpp.SubmitSMResp{MessageID: "a"}, &smpp.GenericNack{}
	cases := []struct {
		name   string
		answer smpp.Response
		err    error
		want   gateway.Outcome
	}{
		{"accepted", smpp.Response{PDU: submitted}, nil, gateway.Outcome{Status: gateway.Accepted, CarrierID: "a"}},
		{"throttled", smpp.Response{Status: smpp.ESME_RTHROTTLED, PDU: submitted}, nil, gateway.Outcome{Status: gateway.Throttled, Detail: "ESME_RTHROTTLED"}},
		{
			"refused for the destination",
			smpp.Response{Status: smpp.ESME_RINVDSTADR, PDU: submitted},
			nil,
			gateway.Outcome{Status: gateway.Rejected, Reason: gateway.InvalidDestination, Detail: "ESME_RINVDSTADR"},
		},
		{
			"unknown to the table",
			smpp.Response{Status: 0x4ff, PDU: submitted},
			nil,
			gateway.Outcome{Status: gateway.Rejected, Reason: gateway.UnknownReason, Detail: "command_status 0x000004FF"},
		},
		{"set by the carrier", smpp.Response{Status: 0x401, PDU: submitted}, nil, gateway.Outcome{Status: gateway.Deferred, Detail: "command_status 0x00000401"}},
		{
			"set against the table",
			smpp.Response{Status: smpp.ESME_RMSGQFUL, PDU: submitted},
			nil,
			gateway.Outcome{Status: gateway.Rejected, Reason: gateway.DestinationAway, Detail: "ESME_RMSGQFUL"},
		},
		{
			"nacked",
			smpp.Response{Status: smpp.ESME_RINVCMDLEN, PDU: nack},
			nil,
			gateway.Outcome{Status: gateway.Rejected, Reason: gateway.InvalidMessage, Detail: "ESME_RINVCMDLEN"},
		},
		{"nacked without an error", smpp.Response{PDU: nack}, nil, gateway.Outcome{Status: gateway.Deferred, Detail: "generic_nack"}},
		{"not sent", smpp.Response{}, smpp.ErrClosed, gateway.Outcome{Status: gateway.NotSent, Detail: "the bind was gone"}},
		{"timed out", smpp.Response{}, smpp.ErrUnanswered, gateway.Outcome{Status: gateway.Unanswered, Detail: "no answer"}},
		{"an answer that cannot be read", smpp.Response{}, errors.Join(smpp.ErrUnanswered, encoding), gateway.Outcome{Status: gateway.Unanswered, Detail: "no answer"}},
		{"an error of no kind", smpp.Response{}, errors.New("odd"), gateway.Outcome{Status: gateway.Unanswered, Detail: "no answer"}},
		{
			"not to be written",
			smpp.Response{},
			fmt.Errorf("%w: %w", smpp.ErrNotSent, encoding),
			gateway.Outcome{Status: gateway.Rejected, Reason: gateway.InvalidSource, Detail: encoding.Error()},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if got, _ := c.outcome(tc.answer, tc.err); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}
