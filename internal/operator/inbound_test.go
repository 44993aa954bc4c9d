package operator

import (
	"context"
	"net/http"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

func TestBringInbound(t *testing.T) {
	f := newFixture()
	f.numbers = []gateway.Number{{Number: "14155550100", Account: anAccount}, {Number: "14155550101"}}
	medium, id := f.IDs.Next(noon), f.IDs.Next(noon)
	f.optOuts.media = []gateway.ID{medium}
	const path, body = "/admin/v1/loopback/inbound", `{"from":"+1 415 555 0123","to":"14155550100","text":"hello"}`
	if status, _ := f.call(t, "POST", path, body, bearer); status != http.StatusNotFound {
		t.Errorf("without a pretend network: %d", status)
	}
	f.Bring = func(_ context.Context, h Handset) (gateway.ID, error) {
		f.optOuts.brought = append(f.optOuts.brought, h)
		return id, f.fail
	}
	for body, want := range map[string]Handset{
		body: {From: person, To: "14155550100", Service: gateway.SMS, Text: "hello"},
		`{"from":"14155550123","to":"+1 (415) 555-0100","type":"MMS","text":"see","media_ids":["` + medium.String() + `"],"carrier":"loop"}`: {
			Carrier: "loop", From: person, To: "14155550100", Service: gateway.MMS, Text: "see", Media: []gateway.ID{medium},
		},
	} {
		f.optOuts.brought = nil
		status, fields := f.call(t, "POST", path, body, bearer)
		if status != http.StatusCreated || fields["message_uuid"] != id.String() {
			t.Errorf("%s: %d %v", body, status, fields)
		}
		if diff := gocmp.Diff([]Handset{want}, f.optOuts.brought); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
	f.optOuts.brought = nil
	for body, want := range map[string]int{
		`{"from":"14155550123","to":"14155550199","text":"x"}`:                                                                        404,
		`{"from":"14155550123","to":"14155550101","text":"x"}`:                                                                        404, // nobody rents it
		`{"from":"14155550123","text":"x"}`:                                                                                           404,
		`{"from":"","to":"14155550100"}`:                                                                                              400,
		`{"from":"14155550123","to":"14155550100","type":"fax"}`:                                                                      400,
		`{"from":"14155550123","to":"14155550100","media_ids":["` + medium.String() + `"]}`:                                           400, // an SMS
		`{"from":"14155550123","to":"14155550100","type":"mms","media_ids":["x"]}`:                                                    400,
		`{"from":"14155550123","to":"14155550100","type":"mms","media_ids":["` + id.String() + `"]}`:                                  400, // not the account's
		`{"from":"14155550123","to":"14155550100","text":"` + strings.Repeat("x", longestInbound+1) + `"}`:                            400,
		`{"from":"14155550123","to":"14155550100","txt":"x"}`:                                                                         400,
		`{"from":"14155550123","to":"14155550100","type":"mms","media_ids":[` + strings.Repeat(`"x",`, mostMedia) + `"x"],"text":""}`: 400,
	} {
		if status, fields := f.call(t, "POST", path, body, bearer); status != want || len(f.optOuts.brought) > 0 {
			t.Errorf("%.100s: %d %v, want %d", body, status, fields, want)
		}
	}
	f.fail = gateway.Errorf(gateway.Unavailable, "the store is busy")
	f.numbers[0].Number = "14155550102"
	if status, _ := f.call(t, "POST", path, body, bearer); status == http.StatusCreated {
		t.Errorf("not stored, and yet %d", status)
	}
}
