package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	testToken   = "token-of-the-command-tests"
	testAccount = "MAXXXXXXXXXXXXXXXXXX"
	testUUID    = "01a20e93-8de0-7000-9f30-466726d42454"
)

// fakeOperator is an operator API that answers what it is told to, at noon.
type fakeOperator struct {
	*httptest.Server
	answers map[string]string // by method and address
	status  int               // 0: 200
	asked   []string
	bodies  []string
	keys    []string
}

func newFakeOperator(t *testing.T) *fakeOperator {
	f := &fakeOperator{answers: map[string]string{}}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", "Wed, 06 May 2026 12:00:00 GMT")
		if r.Header.Get("Authorization") != "Bearer "+testToken {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"api_id":"1","error":"the operator's token is missing or wrong"}`)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		asked := r.Method + " " + r.URL.RequestURI()
		f.asked, f.bodies = append(f.asked, asked), append(f.bodies, string(body))
		f.keys = append(f.keys, r.Header.Get("Idempotency-Key"))
		answer, known := f.answers[asked]
		if !known {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"api_id":"1","error":"not found"}`)
			return
		}
		if f.status != 0 {
			w.WriteHeader(f.status)
		}
		_, _ = io.WriteString(w, answer+"\n")
	}))
	t.Cleanup(f.Close)
	t.Setenv("HELIOGRAPH_URL", f.URL)
	t.Setenv("HELIOGRAPH_ADMIN_TOKEN", testToken)
	t.Setenv("HELIOGRAPH_ADMIN_TOKEN_FILE", "")
	return f
}

// command runs the program's command line in this process.
func command(t *testing.T, in string, args ...string) (status int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	zone := time.FixedZone("CEST", 2*60*60)
	status = run(t.Context(), args, streams{in: strings.NewReader(in), out: &stdout, err: &stderr, zone: zone})
	return status, stdout.String(), stderr.String()
}

// Answers of the API as the commands get them.
const (
	anAccountJSON = `"auth_id":"MAXXXXXXXXXXXXXXXXXX","name":"Acme","enabled":true,"rate":2.5,"created_on":"2026-05-06T11:00:00Z"`
	aWalletJSON   = `,"billing_mode":"prepaid","balance":"10.00000","held":"2.50000","available":"7.50000"`
	aNumberJSON   = `"number":"14155550100","type":"longcode","country_iso2":"US","region":"CA","area_code":"415","services":["sms","mms"],"carrier":"main",` +
		`"rate":null,"daily_cap":null,"effective_rate":1,"effective_daily_cap":2000,"campaign":"C1","paused":false,"auth_id":"MAXXXXXXXXXXXXXXXXXX",` +
		`"number_pool_uuid":"","number_pool_service":"","added_on":"2026-05-06T11:00:00Z","rented_on":null`
	aSenderJSON = `"number":"14155550100","type":"longcode","carrier":"main","campaign":"C1","effective_rate":1,"effective_daily_cap":2000,"paused":false,` +
		`"queued_units":90,"free_at":"2026-05-06T12:01:30Z","health":"resting","delivery_rate":0.4,"delivery_samples":50,"rests_until":"2026-05-06T14:00:00Z"`
	otherSenderJSON = `"number":"555444","type":"shortcode","carrier":"","campaign":"","effective_rate":0,"effective_daily_cap":0,"paused":true,` +
		`"queued_units":0,"free_at":null,"health":"well","delivery_rate":null,"delivery_samples":0,"rests_until":null`
	aPowerpackJSON = `"uuid":"01a20e93-8de0-7000-9f30-466726d42454","auth_id":"MAXXXXXXXXXXXXXXXXXX","name":"main","sticky_sender":true,"local_connect":false,` +
		`"number_priority":[{"service_type":"sms","country_iso2":"US","order":["tollfree","longcode"]}],"patience":90,"number_pool_refresh":false,` +
		`"application_type":"","application_id":"","number_pool_uuid":"pool","senders":2,"created_on":"2026-05-06T11:00:00Z"`
)

const (
	aGuardJSON = `"auth_id":"MAXXXXXXXXXXXXXXXXXX","geo":{"others":null,"countries":{"NG":false,"US":true,"CA":true}},"thresholds":[{"country_iso2":"NG","per_hour":100},` +
		`{"prefix":"23480","per_hour":20},{"country_iso2":"*","per_hour":5000}],"alert_url":""`
	aRegistrationJSON = `"id":"CXXXXXX","kind":"campaign","auth_id":"MAXXXXXXXXXXXXXXXXXX","state":"approved","waits":false,"parent_id":"BXXXXXX","number":"",` +
		`"details":{"usecase":"2FA","address":{"city":"Berlin"},"none":null},"reason":"","code":"","rate":3.75,"daily_cap":2000,"brand_tier":"TOP","vetting_status":"",` +
		`"created_on":"2026-05-06T11:00:00Z","modified_on":null,"decided_on":"2026-05-06T11:00:00Z"`
	aRegistration = `
registration          CXXXXXX
kind                  campaign
account               MAXXXXXXXXXXXXXXXXXX
state                 approved
waits for a decision  no
belongs to            BXXXXXX
number                -
reason                -
code                  -
units per second      3.75
units per day         2000
brand tier            TOP
created               2026-05-06 13:00:00 CEST
changed               -
decided               2026-05-06 13:00:00 CEST
`
)

// TestOperatorCommands: what is asked, and what people and scripts are shown.
func TestOperatorCommands(t *testing.T) {
	for _, c := range []struct {
		name, args, asked, answer string
		body                      string // that was sent
		once                      string // the key that makes the call once
		out, note                 string
	}{
		{
			name: "accounts", args: "account list", asked: "GET /admin/v1/accounts", answer: `{"api_id":"1","accounts":[{` + anAccountJSON + aWalletJSON + `},` +
				`{"auth_id":"SAXXXXXXXXXXXXXXXXXX","parent_auth_id":"MAXXXXXXXXXXXXXXXXXX","name":"Zo\u00eb\u001b[2J","enabled":false,"rate":0,"created_on":"2026-05-06T11:00:00Z"}]}`,
			out: `
AUTH ID               NAME     ENABLED    UNITS/S  PARENT                BILLING  AVAILABLE  CREATED
MAXXXXXXXXXXXXXXXXXX  Acme     yes            2.5  -                     prepaid    7.50000  2026-05-06 13:00:00 CEST
SAXXXXXXXXXXXXXXXXXX  Zoë?[2J  no       unlimited  MAXXXXXXXXXXXXXXXXXX  -                -  2026-05-06 13:00:00 CEST
`,
		},
		{
			name: "no campaigns", args: "campaign list", asked: "GET /admin/v1/campaigns", answer: `{"api_id":"1","campaigns":[]}`, out: `
There is no campaign.
`,
		},
		{
			name: "new account", args: "account create Acme --rate 2.5", asked: "POST /admin/v1/accounts", body: `{"name":"Acme","rate":2.5}`,
			answer: `{"api_id":"1","auth_id":"MAXXXXXXXXXXXXXXXXXX","auth_token":"secret","name":"Acme","rate":2.5,"warning":"not yet"}`, out: `
auth id     MAXXXXXXXXXXXXXXXXXX
auth token  secret
`, note: "Keep the token: it is not shown again.\nWarning: not yet\n",
		},
		{
			name: "changed account", args: "account set MAXXXXXXXXXXXXXXXXXX --disabled --rate 0", asked: "POST /admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX",
			body: `{"enabled":false,"rate":0}`, answer: `{"api_id":"1",` + anAccountJSON + `}`, out: `
auth id  MAXXXXXXXXXXXXXXXXXX
name     Acme
parent   -
enabled  yes
rate     2.5
created  2026-05-06 13:00:00 CEST
`,
		},
		{
			name: "numbers", args: "number list --account MAXXXXXXXXXXXXXXXXXX --prefix 1415 --limit 1", note: "1 of 2 numbers; --limit shows more\n",
			asked:  "GET /admin/v1/numbers?auth_id=MAXXXXXXXXXXXXXXXXXX&limit=1&offset=0&prefix=1415",
			answer: `{"api_id":"1","numbers":[{` + aNumberJSON + `}],"total":2}`, out: `
NUMBER       TYPE      COUNTRY  SERVICES  CARRIER  UNITS/S  UNITS/DAY  CAMPAIGN  PAUSED  ACCOUNT
14155550100  longcode  US       sms mms   main           1       2000  C1        no      MAXXXXXXXXXXXXXXXXXX
`,
		},
		{
			name: "number", args: "number show +14155550100", asked: "GET /admin/v1/numbers/+14155550100", answer: `{"api_id":"1",` + aNumberJSON + `}`, out: `
number            14155550100
type              longcode
country           US
region            CA
area code         415
services          sms mms
carrier           main
account           MAXXXXXXXXXXXXXXXXXX
number pool       -
there for         -
campaign          C1
units per second  1 (default)
units per day     2000 (default)
paused            no
added             2026-05-06 13:00:00 CEST
rented            -
`,
		},
		{
			name: "new numbers", args: "number add 14155550100 555444 --account MAXXXXXXXXXXXXXXXXXX --services sms,mms --rate default --daily-cap 0",
			asked: "POST /admin/v1/numbers", answer: `{"api_id":"1","message":"changed","numbers":["14155550100","555444"]}`,
			body: `{"numbers":[{"number":"14155550100","services":["sms","mms"],"daily_cap":0,"auth_id":"MAXXXXXXXXXXXXXXXXXX"},` +
				`{"number":"555444","services":["sms","mms"],"daily_cap":0,"auth_id":"MAXXXXXXXXXXXXXXXXXX"}]}`, out: `
Number 14155550100 is set.
Number 555444 is set.
`,
		},
		{
			name: "paused number", args: "number pause 555444", asked: "POST /admin/v1/numbers/555444/pause", answer: `{"api_id":"1","message":"paused"}`, out: `
Number 555444 is paused.
`,
		},
		{
			name: "paused carrier", args: "carrier pause main", asked: "POST /admin/v1/carriers/main/pause", answer: `{"api_id":"1","message":"paused"}`, out: `
Carrier main is paused. A restart resumes it.
`,
		},
		{
			name: "deleted campaign", args: "campaign delete C/1", asked: "DELETE /admin/v1/campaigns/C%2F1", answer: `{"api_id":"1","message":"deleted"}`, out: `
Campaign C/1 is removed.
`,
		},
		{
			name: "carriers", args: "carrier list", asked: "GET /admin/v1/carriers", answer: `{"api_id":"1","carriers":[` +
				`{"name":"main","paused":false,"places":200,"in_flight":7,"lanes":3,"slowed_to":12.5,"submitted":100,"accepted":90,"throttled":10,"receipted":80,` +
				`"binds":[{"name":"main/1","state":"bound","since":"2026-05-06T11:59:00Z","window":100,"window_in_use":7},` +
				`{"name":"main/2","state":"connecting","since":"2026-05-03T11:00:00Z","window":100,"window_in_use":0,"last_error":"connection refused"}]},` +
				`{"name":"spare","places":0,"binds":[]},{"name":"third","paused":true,"places":9,"binds":[]},{"name":"up","places":9,"binds":[]}]}`, out: `
CARRIER  STATE             IN FLIGHT  QUEUES  SUBMITTED  ACCEPTED  REJECTED  THROTTLED  DEFERRED  UNANSWERED  RECEIPTS
main     slowed to 12.5/s   7 of 200       3        100        90         0         10         0           0        80
spare    down                 0 of 0       0          0         0         0          0         0           0         0
third    paused               0 of 9       0          0         0         0          0         0           0         0
up       up                   0 of 9       0          0         0         0          0         0           0         0

BIND    CARRIER  STATE       FOR     WINDOW  LAST ERROR
main/1  main     bound       1m0s  7 of 100  -
main/2  main     connecting  3d1h  0 of 100  connection refused
`,
		},
		{
			name: "queues", args: "queue list --sender 14155550100", asked: "GET /admin/v1/queues?limit=100&sender=14155550100", answer: `{"api_id":"1","queues":[` +
				`{"auth_id":"MAXXXXXXXXXXXXXXXXXX","sender":"14155550100","carrier":"main","messages":80,"queued_units":90,"free_at":"2026-05-06T12:01:30Z",` +
				`"oldest":"2026-05-06T09:58:00Z","rate":1,"daily_cap":2000,"sent_today":1900,"campaign":"C1","paused":false},` +
				`{"auth_id":"MAXXXXXXXXXXXXXXXXXX","sender":"555444","carrier":"main","messages":1,"queued_units":1,"free_at":null,"oldest":null,"paused":true},` +
				`{"auth_id":"MAXXXXXXXXXXXXXXXXXX","sender":"555445","carrier":"gone","messages":1,"queued_units":1,"free_at":null,"oldest":null}],` +
				`"scopes":[{"kind":"campaign","name":"C1","rate":3.75,"daily_cap":0,"queued_units":90,"free_at":"2026-05-06T12:00:00Z"}]}`, out: `
SENDER       CARRIER  ACCOUNT               MESSAGES  UNITS  FREE IN  OLDEST    UNITS/S         TODAY  CAMPAIGN
14155550100  main     MAXXXXXXXXXXXXXXXXXX        80     90    1m30s    2h2m          1  1900 of 2000  C1
555444       main     MAXXXXXXXXXXXXXXXXXX         1      1   paused       -  unlimited        no cap  -
555445       gone     MAXXXXXXXXXXXXXXXXXX         1      1    never       -  unlimited        no cap  -

SHARED BY  NAME  UNITS  FREE IN  UNITS/S   TODAY
campaign   C1       90      now     3.75  no cap
`,
		},
		{
			name: "message", args: "message show MAXXXXXXXXXXXXXXXXXX " + testUUID, asked: "GET /admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX/messages/" + testUUID,
			answer: `{"api_id":"1","message_uuid":"01a20e93-8de0-7000-9f30-466726d42454","auth_id":"MAXXXXXXXXXXXXXXXXXX","direction":"outbound","type":"mms","state":"sent","reason":"","sender":"14155550100",` +
				`"sender_chosen_by":"sticky","destination_country_iso2":"US","carrier":"main","units":2,"parts":2,"parts_taken":[1,2],"parts_refused":[],` +
				`"parts_delivered":[1],"media":1,"deferred":1,"cost":"0.01700","log":"true","trackable":true,"requester_ip":"192.0.2.1","accepted_at":"2026-05-06T11:00:00Z","expires_at":"2026-05-06T14:00:00Z","due_at":null,` +
				`"sent_at":"2026-05-06T11:00:01.25Z","reported_at":null,"updated_at":"2026-05-06T11:00:01.25Z","events":2}`, out: `
message         01a20e93-8de0-7000-9f30-466726d42454
account         MAXXXXXXXXXXXXXXXXXX
direction       outbound
type            mms
state           sent
reason          -
sender          14155550100
chosen by       sticky
powerpack       -
to country      US
carrier         main
carrier says    -
units           2
parts           2: 2 taken, 0 refused, 1 delivered
media           1
cost            0.01700
deferred        1 times
log             true
trackable       yes
requested from  192.0.2.1
events          2
accepted        2026-05-06 13:00:00 CEST
next attempt    -
sent            2026-05-06 13:00:01 CEST
reported        -
changed         2026-05-06 13:00:01 CEST
expires         2026-05-06 16:00:00 CEST
`,
		},
		{
			name: "messages", args: "message list --account MAXXXXXXXXXXXXXXXXXX --state failed --from 2026-05-06 --limit 1 --offset 2",
			asked: "GET /admin/v1/messages?auth_id=MAXXXXXXXXXXXXXXXXXX&from=2026-05-06&limit=1&offset=2&state=failed", note: "3 of 9 messages; --limit shows more\n",
			answer: `{"api_id":"1","messages":[{"message_uuid":"` + testUUID + `","auth_id":"MAXXXXXXXXXXXXXXXXXX","direction":"outbound","type":"sms","state":"failed",` +
				`"reason":"beyond the hourly threshold","sender":"14155550100","destination_country_iso2":"US","carrier":"main","units":2,"accepted_at":"2026-05-06T11:00:00Z"}],"total":9}`, out: `
MESSAGE                               ACCOUNT               ACCEPTED                  STATE   TYPE  SENDER       TO  CARRIER  UNITS  REASON
01a20e93-8de0-7000-9f30-466726d42454  MAXXXXXXXXXXXXXXXXXX  2026-05-06 13:00:00 CEST  failed  sms   14155550100  US  main         2  beyond the hourly threshold
`,
		},
		{
			name: "numbers of a campaign", args: "number list --campaign C1", asked: "GET /admin/v1/numbers?campaign=C1&limit=100&offset=0",
			answer: `{"api_id":"1","numbers":[],"total":0}`, out: `
There is no such number.
`,
		},
		{
			name: "prepaid account", args: "account create Acme --billing prepaid", asked: "POST /admin/v1/accounts", body: `{"billing_mode":"prepaid","name":"Acme","rate":0}`,
			answer: `{"api_id":"1","auth_id":"MAXXXXXXXXXXXXXXXXXX","auth_token":"secret","name":"Acme","rate":0}`, out: `
auth id     MAXXXXXXXXXXXXXXXXXX
auth token  secret
`, note: "Keep the token: it is not shown again.\n",
		},
		{
			name: "account with money", args: "account set MAXXXXXXXXXXXXXXXXXX --billing prepaid", asked: "POST /admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX",
			body: `{"billing_mode":"prepaid"}`, answer: `{"api_id":"1",` + anAccountJSON + aWalletJSON + `}`, out: `
auth id    MAXXXXXXXXXXXXXXXXXX
name       Acme
parent     -
enabled    yes
rate       2.5
billing    prepaid
balance    10.00000
held       2.50000
available  7.50000
created    2026-05-06 13:00:00 CEST
`,
		},
		{
			name: "payment", args: "account credit MAXXXXXXXXXXXXXXXXXX 250.00 --note transfer --key k1", asked: "POST /admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX/credits",
			body: `{"amount":"250.00","note":"transfer"}`, once: "k1",
			answer: `{"api_id":"1","id":1,"auth_id":"MAXXXXXXXXXXXXXXXXXX","amount":"250.00000","balance":"260.00000","note":"transfer","entered_on":"2026-05-06T11:00:00Z"}`, out: `
250.00000 was entered for MAXXXXXXXXXXXXXXXXXX; its balance was 260.00000 then.
`,
		},
		{
			name: "correction", args: "account credit -- MAXXXXXXXXXXXXXXXXXX -2.5", asked: "POST /admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX/credits", body: `{"amount":"-2.5","note":""}`,
			answer: `{"api_id":"1","auth_id":"MAXXXXXXXXXXXXXXXXXX","amount":"-2.50000","balance":"7.50000"}`, out: `
-2.50000 was entered for MAXXXXXXXXXXXXXXXXXX; its balance was 7.50000 then.
`,
		},
		{
			name: "ledger", args: "account credits MAXXXXXXXXXXXXXXXXXX --limit 1", asked: "GET /admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX/credits?limit=1",
			note:   "1 of 2 entries; --limit shows more\n",
			answer: `{"api_id":"1","credits":[{"id":2,"amount":"-2.50000","balance":"7.50000","note":"","entered_on":"2026-05-06T11:00:00Z"}],"total":2}`, out: `
ENTERED                     AMOUNT  BALANCE  NOTE  KEY
2026-05-06 13:00:00 CEST  -2.50000  7.50000  -     -
`,
		},
		{
			name: "guard", args: "account guard MAXXXXXXXXXXXXXXXXXX", asked: "GET /admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX/guard", answer: `{"api_id":"1",` + aGuardJSON + `}`, out: `
account          MAXXXXXXXXXXXXXXXXXX
allowed          CA US
forbidden        NG
other countries  inherited
alerts to        -

THRESHOLD           MESSAGES/HOUR
NG                            100
numbers 23480…                 20
each other country           5000
`,
		},
		{
			name: "changed guard", asked: "POST /admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX/guard", answer: `{"api_id":"1","auth_id":"MAXXXXXXXXXXXXXXXXXX","geo":{"others":false,"countries":{}},"thresholds":[],"alert_url":"http://x.example/"}`,
			args: "account guard MAXXXXXXXXXXXXXXXXXX --allow us,CA --forbid NG --inherit DE --others forbid --threshold ng=100 --threshold 23480=20 --threshold *=5000 --alert-url http://x.example/",
			body: `{"alert_url":"http://x.example/","geo":{"countries":{"CA":true,"DE":null,"NG":false,"US":true},"others":false},` +
				`"thresholds":[{"country_iso2":"NG","per_hour":100},{"prefix":"23480","per_hour":20},{"country_iso2":"*","per_hour":5000}]}`, out: `
account          MAXXXXXXXXXXXXXXXXXX
allowed          -
forbidden        -
other countries  forbidden
alerts to        http://x.example/

No threshold of its own.
`,
		},
		{
			name: "conversions", args: "conversion list --by network --country cn", asked: "GET /admin/v1/conversions?by=network&country_iso2=cn&limit=100",
			answer: `{"api_id":"1","conversions":[{"country_iso2":"CN","network":"China Mobile","messages":8,"converted":3,"converted_with_others":1,"not_converted":4,"pending":0,"rate":0.375},` +
				`{"country_iso2":"","network":"","messages":1,"pending":1,"rate":null}],"from":"2026-05-05T12:00:00Z","until":"2026-05-06T12:00:00Z"}`,
			note: "Accepted from 2026-05-05 14:00:00 CEST until 2026-05-06 14:00:00 CEST\n", out: `
NETWORK           MESSAGES  CONVERTED  WITH OTHERS  NOT  PENDING   RATE
CN, China Mobile         8          3            1    4        0  37.5%
unknown, unknown         1          0            0    0        1      -
`,
		},
		{
			name: "registrations", args: "registration list --kind campaign --state all", asked: "GET /admin/v1/registrations?kind=campaign&limit=100&state=all",
			answer: `{"api_id":"1","registrations":[{` + aRegistrationJSON + `}],"total":1}`, out: `
REGISTRATION  KIND      ACCOUNT               STATE     WAITS  NUMBER  CREATED                   REASON
CXXXXXX       campaign  MAXXXXXXXXXXXXXXXXXX  approved  no     -       2026-05-06 13:00:00 CEST  -
`,
		},
		{
			name: "registration", args: "registration show MAXXXXXXXXXXXXXXXXXX CXXXXXX", asked: "GET /admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX/registrations/CXXXXXX",
			answer: `{"api_id":"1",` + aRegistrationJSON + `}`, out: aRegistration + `
address.city  Berlin
usecase       2FA
`,
		},
		{
			name: "approval", args: "registration approve MAXXXXXXXXXXXXXXXXXX CXXXXXX --rate 3.75 --daily-cap 2000 --brand-tier TOP", body: `{"brand_tier":"TOP","daily_cap":2000,"rate":3.75}`,
			asked: "POST /admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX/registrations/CXXXXXX/approve", answer: `{"api_id":"1",` + aRegistrationJSON + `}`, out: aRegistration,
		},
		{
			name: "rejection", args: "registration reject MAXXXXXXXXXXXXXXXXXX CXXXXXX --reason unclear --code 1001 --update-required", body: `{"code":"1001","reason":"unclear","update_required":true}`,
			asked: "POST /admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX/registrations/CXXXXXX/reject", answer: `{"api_id":"1",` + aRegistrationJSON + `}`, out: aRegistration,
		},
		{
			name: "held messages", args: "message held --limit 1", asked: "GET /admin/v1/held?limit=1", note: "There are more than 1; --limit shows more\n",
			answer: `{"api_id":"1","held":[{"message_uuid":"` + testUUID + `","auth_id":"MAXXXXXXXXXXXXXXXXXX","carrier":"main","submitted_at":"2026-05-06T11:00:00Z"}],"more":true}`, out: `
MESSAGE                               ACCOUNT               CARRIER  SUBMITTED
01a20e93-8de0-7000-9f30-466726d42454  MAXXXXXXXXXXXXXXXXXX  main     2026-05-06 13:00:00 CEST
`,
		},
		{
			name: "resent message", args: "message resend " + testUUID, asked: "POST /admin/v1/held/" + testUUID + "/resend", answer: `{"api_id":"1","message":"queued again"}`, out: `
Message 01a20e93-8de0-7000-9f30-466726d42454 is queued again.
`,
		},
		{
			name: "powerpacks", args: "powerpack list --account MAXXXXXXXXXXXXXXXXXX", asked: "GET /admin/v1/powerpacks?auth_id=MAXXXXXXXXXXXXXXXXXX&limit=100",
			answer: `{"api_id":"1","powerpacks":[{` + aPowerpackJSON + `}],"total":1}`, out: `
POWERPACK                             ACCOUNT               NAME  SENDERS  STICKY  LOCAL  CREATED
01a20e93-8de0-7000-9f30-466726d42454  MAXXXXXXXXXXXXXXXXXX  main        2  yes     no     2026-05-06 13:00:00 CEST
`,
		},
		{
			name: "powerpack", args: "powerpack show " + testUUID, asked: "GET /admin/v1/powerpacks/" + testUUID + "?type=sms",
			answer: `{"api_id":"1",` + aPowerpackJSON + `,"destination_country_iso2":"US","type":"sms","numbers":[{` + aSenderJSON + `},{` + otherSenderJSON + `}]}`, out: `
powerpack      01a20e93-8de0-7000-9f30-466726d42454
account        MAXXXXXXXXXXXXXXXXXX
name           main
sticky sender  yes
local connect  no
priority       sms to US: tollfree, longcode
patience       1m30s
refresh        no
number pool    pool
senders        2
created        2026-05-06 13:00:00 CEST

SENDER       TYPE       CARRIER  CAMPAIGN    UNITS/S  UNITS/DAY  QUEUED  FREE IN  HEALTH IN US
14155550100  longcode   main     C1                1       2000      90    1m30s  resting for 2h0m, 40.0% of 50 delivered
555444       shortcode  -        -         unlimited       none       0   paused  well
`,
		},
		{
			name: "explanation", args: "powerpack explain " + testUUID + " +14155550123 --expiry 60",
			asked: "GET /admin/v1/powerpacks/" + testUUID + "/explain?dst=%2B14155550123&message_expiry=60&type=sms",
			answer: `{"api_id":"1","sender":{"reason":"sticky",` + aSenderJSON + `},"failure":"","sticky_sender":"14155550100","senders":2,` +
				`"others":[{"reason":"it is paused",` + otherSenderJSON + `}]}`, out: `
A message would be sent by 14155550100 (longcode), chosen by sticky; free: 1m30s.
The destination is used to 14155550100.

NOT     TYPE       QUEUED  FREE IN  BECAUSE
555444  shortcode       0   paused  it is paused
`,
		},
		{
			name: "nobody", args: "powerpack explain " + testUUID + " 14155550123", asked: "GET /admin/v1/powerpacks/" + testUUID + "/explain?dst=14155550123&type=sms",
			answer: `{"api_id":"1","sender":null,"failure":"no sender of the powerpack can carry the message","sticky_sender":"","senders":0,"others":[]}`, out: `
A message would fail: no sender of the powerpack can carry the message.
`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFakeOperator(t)
			f.answers[c.asked] = c.answer
			status, out, errs := command(t, "", strings.Fields(c.args)...)
			if diff := cmp.Diff(strings.TrimPrefix(c.out, "\n"), out); status != 0 || diff != "" || errs != c.note {
				t.Errorf("status %d, said %q, asked %q (-want +got):\n%s", status, errs, f.asked, diff)
			}
			if c.body != "" && (len(f.bodies) == 0 || f.bodies[0] != c.body) {
				t.Errorf("sent %s", f.bodies)
			}
			if len(f.keys) == 0 || f.keys[0] != c.once {
				t.Errorf("keys %q, want %q", f.keys, c.once)
			}
			status, out, errs = command(t, "", slices.Insert(strings.Fields(c.args), 1, "--json")...)
			if status != 0 || !sameJSON(t, out, c.answer) || strings.Count(out, "\n") != 1 || errs != "" {
				t.Errorf("--json: status %d, said %q, wrote %s", status, errs, out)
			}
		})
	}
}

// sameJSON compares documents; of lists that are made of pages, the id of one answer is not a part.
func sameJSON(t *testing.T, got, want string) bool {
	t.Helper()
	var a, b map[string]any
	if json.Unmarshal([]byte(got), &a) != nil || json.Unmarshal([]byte(want), &b) != nil {
		return false
	}
	if _, paged := a["total"]; paged {
		delete(a, "api_id")
		delete(b, "api_id")
	}
	return cmp.Equal(a, b)
}

// TestSetKeepsTheRest: settings that are not given stay, although the API replaces all.
func TestSetKeepsTheRest(t *testing.T) {
	f := newFakeOperator(t)
	f.answers["GET /admin/v1/campaigns"] = `{"campaigns":[{"id":"C0","auth_id":"x","rate":1,"daily_cap":1},{"id":"C1","auth_id":"MAXXXXXXXXXXXXXXXXXX","rate":3.75,"daily_cap":2000}]}`
	f.answers["POST /admin/v1/campaigns"] = `{"message":"changed"}`
	f.answers["GET /admin/v1/numbers/14155550100"] = "{" + aNumberJSON + "}"
	f.answers["POST /admin/v1/numbers"] = `{"message":"changed","numbers":["14155550100"]}`
	for args, want := range map[string]string{
		"campaign set C1 --rate 5":                         `{"campaigns":[{"id":"C1","auth_id":"MAXXXXXXXXXXXXXXXXXX","rate":5,"daily_cap":2000}]}`,
		"campaign set C2 --account MAYY --daily-cap 9":     `{"campaigns":[{"id":"C2","auth_id":"MAYY","rate":0,"daily_cap":9}]}`,
		"number set 14155550100 --rate 5":                  `{"numbers":[{"number":"14155550100","type":"longcode","country_iso2":"US","carrier":"main","services":["sms","mms"],"rate":5,"campaign":"C1","auth_id":"MAXXXXXXXXXXXXXXXXXX"}]}`,
		"number set 14155550100 --campaign= --daily-cap=7": `{"numbers":[{"number":"14155550100","type":"longcode","country_iso2":"US","carrier":"main","services":["sms","mms"],"daily_cap":7,"auth_id":"MAXXXXXXXXXXXXXXXXXX"}]}`,
	} {
		if status, _, errs := command(t, "", strings.Fields(args)...); status != 0 || f.bodies[len(f.bodies)-1] != want {
			t.Errorf("%s: %d %s, sent %s", args, status, errs, f.bodies[len(f.bodies)-1])
		}
	}
	for args, want := range map[string]string{
		"campaign set C3 --rate 5":                    "heliograph: there is no campaign C3; to add it, say whose it is with --account\n",
		"account set MAXXXXXXXXXXXXXXXXXX":            "heliograph: nothing to change: give --name, --enabled, --disabled, --rate or --billing\n",
		"number set 14155550100":                      "heliograph: nothing to change\n",
		"number set 14155550100 --carrier main":       "heliograph: nothing to change\n",
		"number set 14155550100 --rate fast":          "heliograph: --rate must be a number, or default\n",
		"number add 14155550100 --daily-cap 1.5":      "heliograph: --daily-cap must be a whole number, or default\n",
		"number list --limit=-1":                      "heliograph: --limit must not be negative\n",
		"number set 14155550101 --rate 1":             "heliograph: not found\n",
		"message fail 01a20e93-8de0-7000-9f30-466726": "heliograph: not found\n",
	} {
		if status, out, errs := command(t, "", strings.Fields(args)...); status != 1 || errs != want || out != "" {
			t.Errorf("%s: %d %q, wrote %q", args, status, errs, out)
		}
	}
}

// TestNumberListPages: a list is as long as it is asked for, over as many answers as that takes.
func TestNumberListPages(t *testing.T) {
	f := newFakeOperator(t)
	page := strings.Repeat(`{"number":"555444"},`, numberPage)
	page = `{"api_id":"1","total":2500,"numbers":[` + strings.TrimSuffix(page, ",") + `]}`
	f.answers["GET /admin/v1/numbers?limit=1000&offset=0"] = page
	f.answers["GET /admin/v1/numbers?limit=1000&offset=1000"] = page
	f.answers["GET /admin/v1/numbers?limit=1000&offset=2000"] = `{"total":2001,"numbers":[{"number":"555445"}]}`
	f.answers["GET /admin/v1/numbers?limit=500&offset=1000"] = `{"total":2500,"numbers":[` + strings.Repeat(`{"number":"1"},`, 499) + `{"number":"2"}]}`
	for limit, want := range map[string]int{"0": 2001, "1500": 1500} {
		status, out, errs := command(t, "", "number", "list", "--json", "--limit", limit)
		var list struct{ Numbers []numberRow }
		if err := json.Unmarshal([]byte(out), &list); err != nil || status != 0 || len(list.Numbers) != want {
			t.Errorf("limit %s: %d %s, %v, %d numbers", limit, status, errs, err, len(list.Numbers))
		}
	}
}

// TestOperatorErrors: one line, in the API's words, and never the token.
func TestOperatorErrors(t *testing.T) {
	f := newFakeOperator(t)
	file := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.answers["GET /admin/v1/accounts"] = `{"accounts":[]}`
	write(testToken + "\n")
	t.Setenv("HELIOGRAPH_ADMIN_TOKEN", "wrong")
	if status, _, errs := command(t, "", "account", "list", "--admin-token-file", file); status != 0 {
		t.Errorf("a token in a file: %d %s", status, errs)
	}
	check := func(want string, args ...string) {
		t.Helper()
		status, out, errs := command(t, "", append([]string{"account", "list"}, args...)...)
		if status != 1 || out != "" || !strings.HasPrefix(errs, "heliograph: "+want) || strings.Count(errs, "\n") != 1 || strings.Contains(errs, testToken) {
			t.Errorf("%d %q, want %q", status, errs, want)
		}
	}
	check("the operator's token is missing or wrong")
	check("the operator's token is missing or wrong", "--json")
	t.Setenv("HELIOGRAPH_ADMIN_TOKEN", "")
	check("the operator's token is needed: set HELIOGRAPH_ADMIN_TOKEN, or name a file with --admin-token-file")
	check("open ", "--admin-token-file", file+".missing")
	write("\n")
	check(file+" holds no token", "--admin-token-file", file)
	t.Setenv("HELIOGRAPH_ADMIN_TOKEN", testToken)
	check(`"ftp://x" is no address such as http://127.0.0.1:8080`, "--url", "ftp://x")
	f.answers["GET /admin/v1/accounts"] = `<html>`
	check(f.URL + " does not answer as Heliograph's operator API does")
	f.answers["GET /admin/v1/accounts"] = `{"accounts":7}`
	check("the server's answer is not understood")
	f.status, f.answers["GET /admin/v1/accounts"] = 500, `{"api_id":"7","error":"internal error; the server's log says more"}`
	check("internal error; the server's log says more (7)")
	f.status, f.answers["GET /admin/v1/accounts"] = 302, ``
	check("the server answers 302 Found")
	f.Close()
	check("no answer from " + f.URL + ": ")
	if status, _, _ := command(t, "", "account", "lits"); status != 2 {
		t.Errorf("a misspelt command ends with %d", status)
	}
}

// TestNarrowTable: what may shrink does, and nothing else.
func TestNarrowTable(t *testing.T) {
	p := newPrinter(streams{}, time.Time{})
	p.width = 30
	table := newTable("ID", "~NAME", ">COUNT")
	table.row("1", "a rather long name of a thing", "100")
	table.row("2", "short", "7")
	p.table(table, "")
	want := "ID  NAME                 COUNT\n1   a rather long name…    100\n2   short                    7\n"
	if got := p.text.String(); got != want {
		t.Errorf("got\n%s", got)
	}
}
