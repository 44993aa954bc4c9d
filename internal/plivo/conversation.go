package plivo

import (
	"net/http"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
)

// redactedText stands in the place of a text that is not to be shown.
const redactedText = "***Text Content Redacted***"

// conversationMessage is a message of a conversation: its record, and its text. The whole resource is an addition of ours.
type conversationMessage struct {
	record
	Text *string `json:"text"` // null when there is none, or it is not kept any more
}

// listConversation lists what the account and a person have written to each other.
func (a *API) listConversation(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	p, err := readPage(args)
	if err != nil {
		return answer{}, err
	}
	filter, err := readConversation(args)
	if err != nil {
		return answer{}, err
	}
	owner, err := a.readOwner(c, args)
	if err != nil {
		return answer{}, err
	}
	filter.Account, filter.Limit, filter.Offset = owner.ID, p.limit, p.offset
	messages, total, err := a.store.Conversation(c.context(), filter)
	if err != nil {
		return answer{}, err
	}
	shown, err := a.records(c, owner.ID, messages)
	if err != nil {
		return answer{}, err
	}
	body := list[conversationMessage]{c.id.String(), newMeta(c.resource("/Conversation/"), args, p, total), make([]conversationMessage, len(shown))}
	for i, m := range messages {
		body.Objects[i] = conversationMessage{shown[i], shownText(m)}
	}
	return answer{http.StatusOK, body}, nil
}

func readConversation(args arguments) (filter gateway.ConversationFilter, err error) {
	if filter.Person, err = readPerson(args, "dst"); err != nil {
		return filter, err
	}
	if filter.Person == "" {
		return filter, missing("dst")
	}
	if filter.Number, err = readPerson(args, "number"); err != nil {
		return filter, err
	}
	if filter.After, filter.Before, _, err = readPeriod(args, "message_time"); err != nil {
		return filter, err
	}
	order, err := args.text("order")
	switch order = strings.ToLower(order); {
	case err != nil:
	case order == "", order == "asc":
		filter.OldestFirst = true
	case order != "desc":
		err = gateway.Errorf(gateway.Invalid, "order must be asc or desc")
	}
	return filter, err
}

// shownText is a message's text, as far as its log setting lets it be shown; nil when there is none, or not any more.
func shownText(m *gateway.Message) *string {
	text := m.Text
	if m.Log == gateway.LogNothing || m.Log == gateway.LogNumberOnly {
		text = redactedText
	}
	return stringOrNull(text)
}
