// Package egress makes the one http.Client for addresses that customers give us: callbacks, webhooks, media. It looks at the address that
// is about to be dialled, after the name was resolved, and refuses what is not on the public internet; a name that resolves to
// something else the second time gains nothing.
//
//	client.go  the client and its bounds
//	guard.go   which addresses may be dialled
package egress
