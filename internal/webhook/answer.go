package webhook

import (
	"context"
	"io"
	"net/http"

	"github.com/heliograph/heliograph/internal/gateway"
)

// AnswerOctets is how much is read of what an application answers when it is told of a message from a handset.
const AnswerOctets = 64 << 10

// fromHandset tells whether an event is of a message from a handset.
func fromHandset(e *gateway.Event) bool {
	return e.Message != nil && e.Message.Direction == gateway.Inbound
}

// listens tells whether what the receiver of an event answers matters.
func (w *Worker) listens(e *gateway.Event) bool { return w.Answered != nil && fromHandset(e) }

// readAnswer reads an answer's body up to its bound, and one octet more if there is more, if the answer is one that counts.
func readAnswer(resp *http.Response) ([]byte, error) {
	if !succeeded(resp.StatusCode) {
		return nil, nil
	}
	return io.ReadAll(io.LimitReader(resp.Body, AnswerOctets+1))
}

// handOn gives an answer to whoever takes it. What it takes them is not the endpoint's time.
func (w *Worker) handOn(it *item, o *outcome, contentType string, body []byte) {
	ctx, cancel := context.WithTimeout(w.posting, answerTimeout)
	defer cancel()
	o.note, o.untaken = w.Answered(ctx, &it.event, contentType, body)
}
