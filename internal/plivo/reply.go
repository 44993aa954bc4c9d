package plivo

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mo"
	"github.com/heliograph/heliograph/internal/mt"
	"github.com/heliograph/heliograph/internal/numbering"
)

// Replies makes messages of what applications answer to messages from handsets. All fields must be set.
type Replies struct {
	Accounts *Accounts // of the API
	// Accept takes a checked message. When it returns without an error, the message is on disk.
	Accept func(context.Context, *mt.Request) (gateway.Acceptance, error)
	// NumbersOf reads those of the numbers that an account has.
	NumbersOf func(ctx context.Context, account gateway.AccountID, numbers []string) (map[string]gateway.Number, error)
	// Loops cuts answers that answer each other.
	Loops *mo.Loops
	IDs   *gateway.IDSource
	Now   func() time.Time
}

// Answered takes an answer. The note says, to whoever wrote the application, what of it was not understood or not sent. An error means that it cannot be
// taken now; then the application is to be asked again. However often it is, and whatever it answers then, no reply is sent twice.
func (r *Replies) Answered(ctx context.Context, e *gateway.Event, contentType string, body []byte) (note string, err error) {
	replies, said := readReplies(contentType, body)
	if len(replies) > 0 {
		if err := r.send(ctx, e.Message, replies, &said); err != nil {
			return "", err
		}
	}
	if len(said) == 0 {
		return "", nil
	}
	if detail := e.Message.Detail; detail != "" { // what the note takes the place of
		said = append(remarks{detail}, said...)
	}
	return said.note(), nil
}

// send makes messages of replies. An error is one that passes.
func (r *Replies) send(ctx context.Context, inbound *gateway.Message, replies []xmlReply, said *remarks) error {
	enabled, err := r.enabled(ctx, inbound.Account)
	if err != nil || !enabled {
		said.add("nothing was sent: the account is disabled")
		return err
	}
	checked := checkReplies(inbound, replies, said)
	if len(checked) == 0 {
		return nil
	}
	owned, err := r.owned(ctx, inbound.Account, checked)
	if err != nil {
		return err
	}
	for _, reply := range checked {
		if _, ok := owned[reply.Source]; !ok {
			said.add("Message %d was not sent: its src is not a number of the account", reply.place)
			continue
		}
		if err := r.accept(ctx, reply.Request); err != nil {
			var refusal *gateway.Error
			if !errors.As(err, &refusal) || refusal.Code == gateway.Unavailable || refusal.Code == gateway.TooMany {
				return err
			}
			said.add("Message %d was not sent: %s", reply.place, refusal.Text)
		}
	}
	return nil
}

// checkedReply is a reply as a request.
type checkedReply struct {
	place int
	*mt.Request
}

// checkReplies makes requests of those replies that can be sent.
func checkReplies(inbound *gateway.Message, replies []xmlReply, said *remarks) (checked []checkedReply) {
	left := maxDestinations
	for i := range replies {
		place := replies[i].place
		req, err := replies[i].request(inbound, &left)
		if err != nil {
			said.add("Message %d was not sent: %v", place, err)
			continue
		}
		if n := len(req.Invalid); n > 0 {
			said.add("Message %d was not sent to all: %d of its destinations are not valid phone numbers", place, n)
		}
		req.Key = replyKey(inbound.ID, place)
		checked = append(checked, checkedReply{place, req})
	}
	return checked
}

// enabled tells whether an account may send.
func (r *Replies) enabled(ctx context.Context, id gateway.AccountID) (bool, error) {
	for id != "" {
		found, err := r.Accounts.get(ctx, id)
		if err != nil || !found.exists || !found.Enabled {
			return false, err
		}
		id = found.Parent
	}
	return true, nil
}

func (r *Replies) owned(ctx context.Context, account gateway.AccountID, replies []checkedReply) (map[string]gateway.Number, error) {
	sources := make([]string, len(replies))
	for i, reply := range replies {
		sources[i] = reply.Source
	}
	return r.NumbersOf(ctx, account, sources)
}

// replyKey is the idempotency key of a reply: of the message that it answers, and its place in the answer. It has a character that no key of a customer's has.
func replyKey(inbound gateway.ID, place int) string {
	return "\x01reply " + inbound.String() + " " + strconv.Itoa(place)
}

// request checks a reply as the API checks what it is asked to send. left is how many destinations all replies of the answer may still have.
func (x *xmlReply) request(inbound *gateway.Message, left *int) (*mt.Request, error) {
	src, dst := x.src, x.dst
	if src == "" {
		src = inbound.To
	}
	if dst == "" {
		dst = inbound.From
	}
	switch given := strings.Count(dst, "<") + 1; {
	case x.kind != "" && !foldEqual(x.kind, "sms"):
		return nil, errors.New("its type is not sms, and an answer can send nothing else")
	case x.text == "":
		return nil, errors.New("it has no text")
	case given > *left:
		return nil, fmt.Errorf("an answer has at most %d destinations", maxDestinations)
	case x.callbackURL != "" && !isWebAddress(x.callbackURL):
		return nil, errors.New("its callbackUrl is not an absolute http or https URL")
	case x.callbackMethod != "" && !foldEqual(x.callbackMethod, "GET") && !foldEqual(x.callbackMethod, "POST"):
		return nil, errors.New("its callbackMethod is neither GET nor POST")
	case !hasDestination(dst): // here rather than below, where the refusal repeats it
		return nil, errors.New("it has no valid phone number in dst")
	default:
		*left -= given
	}
	args := arguments{
		textMember("src", src), textMember("dst", dst), textMember("text", x.text), textMember("url", x.callbackURL), textMember("method", x.callbackMethod),
	}
	req, err := messageRequest(args)
	if err != nil {
		return nil, err
	}
	req.Account = inbound.Account
	if inbound.Log == gateway.LogNothing { // an answer cannot say log, and repeats what was not to be kept
		req.Log = gateway.LogNothing
	}
	return req, nil
}

func textMember(name, text string) member { return member{name, value{kind: isText, text: text}} }

// hasDestination tells whether one of the destinations at least is a phone number.
func hasDestination(list string) bool {
	for dst := range strings.SplitSeq(list, "<") {
		if _, ok := numbering.Destination(numbering.Sanitize(dst)); ok {
			return true
		}
	}
	return false
}

// accept sends a reply. Destinations with which it would go round in circles get theirs as a message of its own, which has failed. Whatever of it was taken
// before is not taken again.
func (r *Replies) accept(ctx context.Context, req *mt.Request) error {
	req.ReceivedAt = r.Now()
	req.ID, req.BodyHash = r.IDs.Next(req.ReceivedAt), hashRequest(req) // of all destinations: it says what was answered, not what becomes of it
	passing, circling := r.parted(req)
	if len(passing) == 0 {
		req.Failure = gateway.Loop
		_, err := r.take(ctx, req)
		return err
	}
	rest := *req
	req.To = passing
	if fresh, err := r.take(ctx, req); err != nil || !fresh || len(circling) == 0 {
		return err
	}
	rest.ID, rest.To, rest.Invalid, rest.Failure, rest.Key = r.IDs.Next(req.ReceivedAt), circling, nil, gateway.Loop, req.Key+" loop"
	_, err := r.take(ctx, &rest)
	return err
}

// take sends a request, and tells whether that had not been done before. One that was made before with another answer has been answered: that holds.
func (r *Replies) take(ctx context.Context, req *mt.Request) (fresh bool, err error) {
	acceptance, err := r.Accept(ctx, req)
	var refusal *gateway.Error
	if errors.As(err, &refusal) && refusal.Code == gateway.Conflict {
		return false, nil
	}
	return acceptance.RequestID == req.ID, err
}

// parted are the destinations to which a reply may go, and those with which its sender has exchanged too many lately.
func (r *Replies) parted(req *mt.Request) (passing, circling []gateway.Destination) {
	for _, to := range req.To {
		if r.Loops.Turn(req.Account, req.Source, to.Number, req.ReceivedAt) {
			passing = append(passing, to)
		} else {
			circling = append(circling, to)
		}
	}
	return passing, circling
}
