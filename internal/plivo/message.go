package plivo

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mt"
	"github.com/heliograph/heliograph/internal/numbering"
	"github.com/heliograph/heliograph/internal/tpdu"
)

// Bounds of a message, from the argument table of the API reference; those of addresses, identifiers and destinations are ours.
const (
	maxSeptets      = 1600
	maxUnits        = 737 // UTF-16 code units
	maxMMSText      = 1600
	maxMedia        = 10
	maxDestinations = 1000
	maxAddress      = 2048
	maxDLT          = 64
	maxKey          = 255
	shownInvalid    = 64 // characters of a refused destination that an answer repeats
)

// accepted is the answer to a message that was taken.
type accepted struct {
	APIID       string   `json:"api_id"`
	Message     string   `json:"message"`
	MessageUUID []string `json:"message_uuid"`
	Invalid     []string `json:"invalid_number,omitempty"`
}

func (a *API) createMessage(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	req, err := messageRequest(args)
	if err != nil {
		return answer{}, err
	}
	if req.Key, err = idempotencyKey(c.r.Header); err != nil {
		return answer{}, err
	}
	req.ID, req.Account, req.ReceivedAt = c.id, c.accountID(), c.at
	if c.client.IsValid() {
		req.Requester = c.client.String()
	}
	if req.Key != "" {
		req.BodyHash = hashRequest(req)
	}
	if err := a.useMedia(c, req); err != nil {
		return answer{}, err
	}
	acceptance, err := a.accept(c.context(), req)
	if err != nil {
		return answer{}, err
	}
	c.id = acceptance.RequestID // of the first request, when this one repeats it
	tellSendTime(c.header, acceptance.SendAt)
	uuids := make([]string, len(acceptance.Messages))
	for i, id := range acceptance.Messages {
		uuids[i] = id.String()
	}
	return answer{http.StatusAccepted, accepted{c.id.String(), "message(s) queued", uuids, acceptance.Invalid}}, nil
}

// tellSendTime says when the last of a request's messages is expected to leave, if that is known of any. The header is an addition of ours.
func tellSendTime(header http.Header, sendAt []time.Time) {
	var last time.Time
	for _, at := range sendAt {
		if at.After(last) {
			last = at
		}
	}
	if !last.IsZero() {
		header.Set("X-Estimated-Send-Time", last.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
}

// messageRequest checks the arguments of a message. What it gives lacks what the call knows: identity, time and caller.
func messageRequest(args arguments) (*mt.Request, error) {
	req := &mt.Request{}
	for _, read := range [...]func(*mt.Request, arguments) error{
		readType, readSender, readDestinations, readContent, readCallback, readOptions,
	} {
		if err := read(req, args); err != nil {
			return nil, err
		}
	}
	return req, nil
}

// whatsappArguments exist for WhatsApp only.
var whatsappArguments = [...]string{"template", "interactive", "location"}

func readType(req *mt.Request, args arguments) error {
	name, err := args.text("type")
	if err != nil {
		return err
	}
	name = strings.TrimSpace(name)
	if foldEqual(name, "whatsapp") {
		return gateway.Errorf(gateway.Invalid, "type whatsapp is not supported by this server")
	}
	for _, argument := range whatsappArguments {
		if _, ok := args.find(argument); ok {
			return gateway.Errorf(gateway.Invalid, "%s is for type whatsapp, which is not supported by this server", argument)
		}
	}
	if name == "" {
		req.Service = gateway.SMS
		return nil
	}
	service, ok := gateway.ParseService(strings.ToLower(name))
	if !ok {
		return gateway.Errorf(gateway.Invalid, "type must be sms or mms")
	}
	req.Service = service
	return nil
}

func readSender(req *mt.Request, args arguments) error {
	src, err := args.text("src")
	if err != nil {
		return err
	}
	powerpack, err := args.text("powerpack_uuid")
	switch {
	case err != nil:
		return err
	case src == "" && powerpack == "":
		return gateway.Errorf(gateway.Invalid, "Specify either powerpack_uuid or src in request params to send a message")
	case src != "" && powerpack != "":
		return gateway.Errorf(gateway.Invalid, "Both powerpack_uuid and src cannot be specified. Specify either powerpack_uuid or src in request params to send a message")
	case src != "":
		req.Source = numbering.SanitizeSource(src)
		if _, ok := numbering.Source(req.Source); !ok {
			return gateway.Errorf(gateway.Invalid, "src must be a phone number of at most 14 digits, a short code, or at most 11 letters and digits")
		}
		return nil
	}
	id, ok := gateway.ParseID(strings.TrimSpace(powerpack))
	if !ok || id.IsZero() {
		return errNotFound // nothing has such an id
	}
	req.Powerpack = id
	return nil
}

func readDestinations(req *mt.Request, args arguments) error {
	given, err := args.texts("dst", func(text string) []string { return strings.Split(text, "<") })
	switch {
	case err != nil:
		return err
	case len(given) == 0:
		return gateway.Errorf(gateway.Invalid, "dst parameter not present")
	case len(given) > maxDestinations:
		return gateway.Errorf(gateway.Invalid, "dst has more than %d destinations", maxDestinations)
	}
	first := "" // of those that are no numbers, without what was removed from it
	req.To = make([]gateway.Destination, 0, len(given))
	for _, dst := range given {
		number := numbering.Sanitize(dst)
		to, ok := numbering.Destination(number)
		if !ok {
			if len(req.Invalid) == 0 {
				first = number
			}
			req.Invalid = append(req.Invalid, shortened(dst))
			continue
		}
		if req.Source != "" && (number == req.Source || to.Number == req.Source) {
			return gateway.Errorf(gateway.Invalid, "dst is identical to src")
		}
		if req.Service == gateway.MMS && !gateway.HasMMS(to.Country) {
			return gateway.Errorf(gateway.Invalid, "MMS is not supported to destinations outside the US and Canada")
		}
		req.To = append(req.To, to)
	}
	if len(req.To) == 0 {
		return gateway.Errorf(gateway.Invalid, "'%s' is not a valid phone number.", shortened(first))
	}
	return nil
}

// shortened bounds what an answer repeats of a destination that is none.
func shortened(text string) string {
	n := 0
	for i := range text {
		if n++; n > shownInvalid {
			return text[:i] + "…"
		}
	}
	return text
}

func readContent(req *mt.Request, args arguments) (err error) {
	if req.Text, err = args.text("text"); err != nil {
		return err
	}
	if !utf8.ValidString(req.Text) {
		return gateway.Errorf(gateway.Invalid, "text is not UTF-8")
	}
	if req.Service == gateway.MMS {
		return readMedia(req, args)
	}
	if req.Text == "" {
		return gateway.Errorf(gateway.Invalid, "text parameter not present")
	}
	alphabet, length := tpdu.Length(req.Text)
	switch {
	case alphabet == tpdu.GSM7 && length > maxSeptets:
		return gateway.Errorf(gateway.Invalid, "text is too long: %d characters of the GSM alphabet, at most %d are allowed", length, maxSeptets)
	case alphabet != tpdu.GSM7 && length > maxUnits:
		return gateway.Errorf(gateway.Invalid, "text is too long: %d Unicode characters, at most %d are allowed", length, maxUnits)
	}
	return nil
}

func readMedia(req *mt.Request, args arguments) (err error) {
	if length := utf8.RuneCountInString(req.Text); length > maxMMSText {
		return gateway.Errorf(gateway.Invalid, "text is too long: %d characters, at most %d are allowed", length, maxMMSText)
	}
	if req.MediaURLs, err = args.texts("media_urls", cutURLs); err != nil {
		return err
	}
	if req.MediaIDs, err = args.texts("media_ids", cutCommas); err != nil {
		return err
	}
	switch n := len(req.MediaURLs) + len(req.MediaIDs); {
	case n > maxMedia:
		return gateway.Errorf(gateway.Invalid, "media_urls and media_ids name %d media, at most %d are allowed", n, maxMedia)
	case n == 0 && req.Text == "":
		return gateway.Errorf(gateway.Invalid, "an mms needs text, media_urls or media_ids")
	}
	for _, address := range req.MediaURLs {
		if !isWebAddress(address) {
			return gateway.Errorf(gateway.Invalid, "media_urls must be absolute http or https URLs")
		}
	}
	for i, text := range req.MediaIDs {
		id, ok := gateway.ParseID(text)
		if !ok {
			return gateway.Errorf(gateway.Invalid, "media_ids must be ids given by the Media API")
		}
		req.MediaIDs[i] = id.String()
	}
	return nil
}

func readCallback(req *mt.Request, args arguments) error {
	address, err := args.text("url")
	if err != nil {
		return err
	}
	method, err := args.text("method")
	if err != nil {
		return err
	}
	switch method = strings.ToUpper(strings.TrimSpace(method)); method {
	case "":
		method = http.MethodPost
	case http.MethodGet, http.MethodPost:
	default:
		return gateway.Errorf(gateway.Invalid, "method must be GET or POST")
	}
	address = strings.TrimSpace(address)
	if address == "" {
		return nil
	}
	if !isWebAddress(address) {
		return gateway.Errorf(gateway.Invalid, "url must be an absolute http or https URL")
	}
	req.Callback = gateway.Callback{URL: address, Method: method}
	return nil
}

// isWebAddress tells whether the text is an absolute http or https URL. Blanks and control characters make it none: url.Parse lets them
// stand in a query, and the request line would end there.
func isWebAddress(text string) bool {
	if len(text) > maxAddress || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return false
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Opaque != "" {
		return false
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	}
	return u.Scheme == "http" || u.Scheme == "https"
}

func readOptions(req *mt.Request, args arguments) (err error) {
	if req.Log, err = readLog(args); err != nil {
		return err
	}
	if req.Trackable, err = args.boolean("trackable", false); err != nil {
		return err
	}
	if req.Expiry, err = readExpiry(args); err != nil {
		return err
	}
	return readDLT(req, args)
}

// readExpiry reads for how long a message may wait; zero is the default.
func readExpiry(args arguments) (time.Duration, error) {
	seconds, err := args.integer("message_expiry", int(gateway.MinExpiry/time.Second), int(gateway.MaxExpiry/time.Second), 0)
	return time.Duration(seconds) * time.Second, err
}

// logModes are the partial values of log.
var logModes = map[string]gateway.LogMode{"content_only": gateway.LogContentOnly, "number_only": gateway.LogNumberOnly}

func readLog(args arguments) (gateway.LogMode, error) {
	v, ok := args.find("log")
	if !ok {
		return gateway.LogAll, nil
	}
	if all, ok := v.asBool(); ok {
		if all {
			return gateway.LogAll, nil
		}
		return gateway.LogNothing, nil
	}
	text, _ := v.asText()
	if mode, ok := logModes[strings.ToLower(strings.TrimSpace(text))]; ok {
		return mode, nil
	}
	return 0, gateway.Errorf(gateway.Invalid, "log must be true, false, content_only or number_only")
}

var dltCategories = []string{"transactional", "promotional", "service_implicit", "service_explicit"}

func readDLT(req *mt.Request, args arguments) (err error) {
	for _, field := range [...]struct {
		name string
		to   *string
	}{
		{"dlt_entity_id", &req.DLT.EntityID},
		{"dlt_template_id", &req.DLT.TemplateID},
		{"dlt_template_category", &req.DLT.TemplateCategory},
	} {
		if *field.to, err = args.text(field.name); err != nil {
			return err
		}
		if len(*field.to) > maxDLT {
			return gateway.Errorf(gateway.Invalid, "%s is too long", field.name)
		}
	}
	category := &req.DLT.TemplateCategory
	*category = strings.ToLower(*category)
	if *category != "" && !slices.Contains(dltCategories, *category) {
		return gateway.Errorf(gateway.Invalid, "dlt_template_category must be one of %s", strings.Join(dltCategories, ", "))
	}
	return nil
}

// idempotencyKey reads the header by which a client marks a repeated request.
func idempotencyKey(header http.Header) (string, error) {
	values := header["Idempotency-Key"]
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	if len(values) > 1 || key == "" || len(key) > maxKey || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", gateway.Errorf(gateway.Invalid, "Idempotency-Key must be one value of 1 to %d printable characters", maxKey)
	}
	return key, nil
}

// hashRequest is what an Idempotency-Key stands for: everything the request asks for as it was understood. The order of arguments, JSON or form, loose
// types and arguments that mean nothing here make no difference.
func hashRequest(req *mt.Request) (sum [32]byte) {
	h := requestHash{sha256.New()}
	h.text("message 1", req.Source, req.Powerpack.String(), req.Text)
	h.number(int64(req.Service), int64(req.Log), int64(req.Expiry), int64(len(req.To)))
	for _, to := range req.To {
		h.text(to.Number)
	}
	for _, list := range [...][]string{req.Invalid, req.MediaURLs, req.MediaIDs} {
		h.number(int64(len(list)))
		h.text(list...)
	}
	trackable := int64(0)
	if req.Trackable {
		trackable = 1
	}
	h.number(trackable)
	h.text(req.Callback.URL, req.Callback.Method, req.DLT.EntityID, req.DLT.TemplateID, req.DLT.TemplateCategory)
	h.Sum(sum[:0])
	return sum
}

// requestHash hashes values with their lengths, so that nothing runs into its neighbour.
type requestHash struct{ hash.Hash }

func (h requestHash) number(numbers ...int64) {
	for _, n := range numbers {
		var octets [8]byte
		binary.BigEndian.PutUint64(octets[:], uint64(n))
		h.Write(octets[:])
	}
}

func (h requestHash) text(texts ...string) {
	for _, text := range texts {
		h.number(int64(len(text)))
		h.Write([]byte(text))
	}
}
