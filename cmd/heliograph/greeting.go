package main

import (
	"fmt"
	"io"
	"strings"
)

// greet prints what a person needs for a first message.
func greet(out io.Writer, made *installation, url string, carriers []string, development bool) {
	var b strings.Builder
	fmt.Fprintf(&b, "Heliograph %s at %s\n", version(), url)
	if made.first {
		fmt.Fprintf(&b, "\n  auth id      %s\n", made.account.ID)
		if made.madeToken {
			fmt.Fprintf(&b, "  auth token   %s\n", made.account.Token)
		} else {
			b.WriteString("  auth token   as given\n")
		}
	}
	if made.adminToken != "" {
		fmt.Fprintf(&b, "  admin token  %s\n", made.adminToken)
	}
	if made.first && (made.madeToken || made.adminToken != "") {
		b.WriteString("\nKeep them: they are not shown again.\n")
	}
	if development {
		b.WriteString("\nNo carrier is configured: messages go to the built-in pretend network (loopback).\n")
	} else {
		fmt.Fprintf(&b, "\nCarriers: %s\n", strings.Join(carriers, ", "))
	}
	if !made.powerpack.IsZero() {
		token := made.account.Token // in clear even when it was given: what is pasted must work
		fmt.Fprintf(&b, `
A first message, through the powerpack %q:

  curl -sS -u "%s:%s" -H 'Content-Type: application/json' \
    -d '{"powerpack_uuid": "%s", "dst": "14152223333", "text": "Hello from Heliograph"}' \
    %s/v1/Account/%s/Message/

What became of it:

  curl -sS -u "%s:%s" "%s/v1/Account/%s/Message/?limit=1"

A message from a handset, with the admin token in HELIOGRAPH_ADMIN_TOKEN:

  heliograph message receive --url %s 14155550123 %s "Hello back"

`, demoPowerpack, made.account.ID, token, made.powerpack, url, made.account.ID, made.account.ID, token, url, made.account.ID,
			url, made.number)
	}
	_, _ = io.WriteString(out, b.String()) // a closed terminal is no reason to stop
}
