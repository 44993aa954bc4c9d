package gateway

import "testing"

func TestEndpointOf(t *testing.T) {
	const account = AccountID("MAXXXXXXXXXXXXXXXXXX")
	same := EndpointOf(account, "https://example.com/status/")
	for _, url := range []string{"https://example.com/status/?a=1", "https://example.com/status/#x", "https://example.com/status/?"} {
		if got := EndpointOf(account, url); got != same {
			t.Errorf("%s has another lane", url)
		}
	}
	if same < 0 {
		t.Errorf("negative: %d", same)
	}
	for _, other := range []int64{
		EndpointOf(account, "https://example.com/status"), EndpointOf(account, "http://example.com/status/"),
		EndpointOf("MAYYYYYYYYYYYYYYYYYY", "https://example.com/status/"),
	} {
		if other == same {
			t.Error("another endpoint has the same lane")
		}
	}
}
