package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// priceList is what the tests of money sell by: a unit to the United States costs 0.00550, and 0.00300 for the carrier.
const priceList = `item,direction,country,prefix,network,sender,rate,fee
sms,outbound,US,,,,0.0055,0.003
sms,inbound,US,,,,0.001,
mms,outbound,US,,,,0.015,0.004
rental,,US,,,,0.8,
sms,outbound,*,,,,0.05,
mms,outbound,*,,,,0.1,
`

func writePrices(t testing.TB, list string) (config string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "prices.csv")
	if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("prices: %q\n", file)
}

// TestMoney: a prepaid account that can pay three messages sends five at the same time. The official client then finds three that were sent and
// charged and two that failed, and every callback says so; after a restart nothing has changed, and a payment that came twice was made once.
func TestMoney(t *testing.T) {
	data, config := t.TempDir(), writePrices(t, priceList)
	server := serve(t, data, config)
	url := server.url(t)
	sink := node(t, "sink.js", "AUTH_TOKEN="+authToken)
	statusURL := fmt.Sprintf("http://127.0.0.1:%d/status", sink.port(t))
	customer := newAccount(t, url)
	pack := customer.powerpack(t, "money", "14155550160", "14155550161")
	customer.operate(t, http.MethodPost, "/accounts/"+authID, map[string]any{"billing_mode": "prepaid"}).want(t, http.StatusOK)
	pay(t, customer, "0.03399") // four cost 0.03400

	ids := sendTogether(t, customer, 5, map[string]any{"powerpack_uuid": pack, "text": "x", "url": statusURL})
	callbacks := map[string][]string{} // by message: states with amounts
	for range 3*3 + 2*2 {
		f := nextCallback(t, sink).Callback.Form
		callbacks[f["MessageUUID"]] = append(callbacks[f["MessageUUID"]], strings.Join([]string{f["Status"], f["TotalRate"], f["TotalAmount"], f["ErrorCode"]}, " "))
	}
	client := newOfficialClient(t, url)
	charged, failed := 0, 0
	for _, id := range ids {
		var r struct{ MessageState, ErrorCode, TotalRate, TotalAmount, CarrierFees, CarrierFeesRate string }
		client.must(t, &r, list("messages", "get", list(id)))
		got := strings.Join([]string{r.MessageState, r.ErrorCode, r.TotalRate, r.TotalAmount, r.CarrierFeesRate, r.CarrierFees}, " ")
		want := "delivered 000 0.00550 0.00550 0.00300 0.00300"
		told := []string{"queued 0.00550 0.00550 ", "sent 0.00550 0.00550 ", "delivered 0.00550 0.00550 000"}
		if r.MessageState == "failed" {
			failed++
			want, told = "failed 900 0.00000 0.00000 0.00000 0.00000", []string{"queued 0.00550 0.00550 ", "failed 0.00000 0.00000 900"}
		} else {
			charged++
		}
		if got != want {
			t.Errorf("message %s is %q, want %q", id, got, want)
		}
		if !sameSet(callbacks[id], told) {
			t.Errorf("callbacks of message %s: %q, want %q", id, callbacks[id], told)
		}
	}
	if charged != 3 || failed != 2 {
		t.Errorf("%d charged, %d failed", charged, failed)
	}
	checkPricing(t, client)
	checkWallet(t, customer, client, "0.00849")

	if status, _ := server.terminate(t); status != 0 {
		t.Errorf("the server ended with status %d", status)
	}
	again := serve(t, data, config)
	customer = newAccount(t, again.url(t))
	checkWallet(t, customer, newOfficialClient(t, again.url(t)), "0.00849")
	pay(t, customer, "0.03399")
	checkWallet(t, customer, newOfficialClient(t, again.url(t)), "0.00849")
	ledger := customer.operate(t, http.MethodGet, "/accounts/"+authID+"/credits", nil).want(t, http.StatusOK)
	if ledger.fields["total"] != 1.0 {
		t.Errorf("the ledger is %s", ledger.body)
	}
}

// pay pays in under a key that is always the same.
func pay(t testing.TB, a *account, amount string) {
	t.Helper()
	body := fmt.Sprintf(`{"amount":%q,"note":"for the test"}`, amount)
	r, err := a.do(within(t), http.MethodPost, "/admin/v1/accounts/"+authID+"/credits", "application/json", []byte(body), func(r *http.Request) {
		asOperator(r)
		r.Header.Set("Idempotency-Key", "the payment")
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.want(t, http.StatusCreated).text("balance") != amount {
		t.Errorf("paid in: %s", r.body)
	}
}

// sendTogether sends messages side by side.
func sendTogether(t testing.TB, a *account, n int, body map[string]any) []string {
	t.Helper()
	ids := make([]string, n)
	var sending sync.WaitGroup
	for i := range n {
		own := map[string]any{"dst": destination(i)}
		for name, value := range body {
			own[name] = value
		}
		sending.Go(func() {
			r := a.call(t, http.MethodPost, "/Message/", own)
			if list, ok := r.fields["message_uuid"].([]any); ok && r.status == http.StatusAccepted && len(list) == 1 {
				ids[i], _ = list[0].(string)
			}
		})
	}
	sending.Wait()
	for i, id := range ids {
		if id == "" {
			t.Fatalf("message %d was not accepted", i)
		}
	}
	return ids
}

// checkPricing reads the prices with the official client.
func checkPricing(t testing.TB, client officialClient) {
	t.Helper()
	type rate struct{ Rate string }
	var p struct {
		Country, CountryISO string
		CountryCode         int
		Message, MMS        struct {
			Inbound, Outbound    rate
			OutboundNetworksList []map[string]string
		}
		PhoneNumbers struct{ Local, Tollfree rate }
	}
	client.must(t, &p, list("pricings", "get", list("US")))
	if p.CountryCode != 1 || p.Message.Outbound.Rate != "0.00550" || p.Message.Inbound.Rate != "0.00100" || p.MMS.Outbound.Rate != "0.01500" ||
		p.PhoneNumbers.Local.Rate != "0.80000" || len(p.Message.OutboundNetworksList) != 1 {
		t.Errorf("the client reads the prices %+v", p)
	}
}

// checkWallet holds what the account and the operator see against what is left.
func checkWallet(t testing.TB, a *account, client officialClient, left string) {
	t.Helper()
	var seen struct{ BillingMode, CashCredits string }
	client.must(t, &seen, list("accounts", "get", []any{}))
	if seen.BillingMode != "prepaid" || seen.CashCredits != left {
		t.Errorf("the client reads the account %+v, want %s left", seen, left)
	}
	r := a.operate(t, http.MethodGet, "/accounts/"+authID, nil).want(t, http.StatusOK)
	if r.text("balance") != left || r.text("held") != "0.00000" || r.text("available") != left {
		t.Errorf("the operator reads %s", r.body)
	}
}

func sameSet(got, want []string) bool {
	if len(got) != len(want) {
		return false
	}
	for _, w := range want {
		found := false
		for _, g := range got {
			found = found || g == w
		}
		if !found {
			return false
		}
	}
	return true
}

// TestPriceListIsChecked: the program tells every bad line, and does not start with one.
func TestPriceListIsChecked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "heliograph.yaml")
	config := writePrices(t, priceList+"sms,,us,,,,0.1,\nfax,,US,,,,1,\n")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", "--config", file}, {"serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--config", file}} {
		out, err := exec.CommandContext(within(t), program, args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "line 8: country:") || !strings.Contains(string(out), "line 9: item:") {
			t.Errorf("%s: %v\n%s", args[0], err, out)
		}
	}
	if err := os.WriteFile(file, []byte(writePrices(t, priceList)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(within(t), program, "check", "--config", file).CombinedOutput(); err != nil {
		t.Errorf("a good list failed: %v\n%s", err, out)
	}
}
