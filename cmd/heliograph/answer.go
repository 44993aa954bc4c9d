package main

import (
	"fmt"

	"github.com/heliograph/heliograph/internal/esme"
	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/plivo"
	"github.com/heliograph/heliograph/internal/relay"
	"github.com/heliograph/heliograph/internal/vasp"
)

// readAnswers reads what the configuration says of a carrier's answers: throttled, deferred, or the error code that the message fails with. status reads
// how the protocol names an answer.
func readAnswers[S comparable, A esme.Answer | vasp.Answer | relay.Answer](said map[string]string, status func(name string) (S, error)) (map[S]A, error) {
	answers := make(map[S]A, len(said))
	for name, meaning := range said {
		key, err := status(name)
		if err != nil {
			return nil, err
		}
		answer := esme.Answer{Status: gateway.Rejected}
		switch meaning {
		case "throttled":
			answer.Status = gateway.Throttled
		case "deferred":
			answer.Status = gateway.Deferred
		default:
			var ok bool
			if answer.Reason, ok = plivo.ReasonOf(meaning); !ok {
				return nil, fmt.Errorf("%q of %s must be throttled, deferred or an error code", meaning, name)
			}
		}
		answers[key] = A(answer)
	}
	return answers, nil
}
