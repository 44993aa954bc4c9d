package mt

import "github.com/heliograph/heliograph/internal/gateway"

// Carrier is a connection to a network that takes messages. Its bodies are esme (SMPP), vasp (MM7), upstream (HTTP) and loopback.
type Carrier interface {
	// Parts is into how many parts the carrier takes the message: what Submit is called for, each with its number. Like Places it is
	// called with the queue locked: it must be quick, and must wait for nothing that is held while done or the nudge is called.
	Parts(m *gateway.Message) int
	// Places is how many parts may be outstanding at once now, over all binds: 0 while the carrier is down. When it grows, the
	// carrier calls the nudge it was given.
	Places() int
	// Submit hands over one part and returns without waiting for its answer. done is called exactly once, from any goroutine, and does not
	// block; it may be called before Submit returns.
	Submit(part gateway.Part, done func(gateway.Outcome))
}
