package operator

import (
	"net/http"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// Handset is a message as a person's handset sends it through a pretend network.
type Handset struct {
	Carrier  string // of the pretend network; empty: the first of them
	From, To string
	Service  gateway.Service
	Text     string
	Media    []gateway.ID // files of the account of To
}

// Bounds of such a message.
const (
	longestInbound = 5000 // octets of text: more than a network joins
	mostMedia      = 10
)

// bringInbound has the pretend network bring a message, and answers when it is on disk.
func (a *API) bringInbound(r *http.Request) (int, any, error) {
	if a.Bring == nil {
		return 0, nil, gateway.Errorf(gateway.NotFound, "no carrier with the protocol loopback is configured")
	}
	var args struct {
		From     string   `json:"from"`
		To       string   `json:"to"`
		Text     string   `json:"text"`
		Type     string   `json:"type"`
		MediaIDs []string `json:"media_ids"`
		Carrier  string   `json:"carrier"`
	}
	if err := read(r, &args); err != nil {
		return 0, nil, err
	}
	h := Handset{
		Carrier: args.Carrier, From: numbering.SanitizeSource(args.From), To: numbering.SanitizeSource(args.To), Service: gateway.SMS, Text: args.Text,
	}
	if _, ok := numbering.Source(h.From); !ok {
		return 0, nil, gateway.Errorf(gateway.Invalid, "from must be a number")
	}
	if len(h.Text) > longestInbound {
		return 0, nil, gateway.Errorf(gateway.Invalid, "text must have at most %d bytes", longestInbound)
	}
	if args.Type != "" {
		var ok bool
		if h.Service, ok = gateway.ParseService(strings.ToLower(args.Type)); !ok {
			return 0, nil, gateway.Errorf(gateway.Invalid, "type must be sms or mms")
		}
	}
	number, err := a.findNumber(r.Context(), h.To)
	if isNotFound(err) || err == nil && number.Account == "" {
		return 0, nil, gateway.Errorf(gateway.NotFound, "no account rents the number that to names")
	} else if err != nil {
		return 0, nil, err
	}
	if h.Media, err = a.inboundMedia(r, &number, h.Service, args.MediaIDs); err != nil {
		return 0, nil, err
	}
	id, err := a.Bring(r.Context(), h)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, map[string]string{"message_uuid": id.String()}, nil
}

// inboundMedia finds the files of an MMS among those of the account that gets it.
func (a *API) inboundMedia(r *http.Request, to *gateway.Number, service gateway.Service, texts []string) ([]gateway.ID, error) {
	switch {
	case len(texts) == 0:
		return nil, nil
	case service != gateway.MMS:
		return nil, gateway.Errorf(gateway.Invalid, "media_ids: only an MMS has files")
	case len(texts) > mostMedia:
		return nil, gateway.Errorf(gateway.Invalid, "media_ids must have at most %d entries", mostMedia)
	}
	ids := make([]gateway.ID, len(texts))
	for i, text := range texts {
		var ok bool
		if ids[i], ok = gateway.ParseID(text); !ok {
			return nil, gateway.Errorf(gateway.Invalid, "media_ids: %q is no UUID", text)
		}
	}
	found, err := a.Store.MediaByID(r.Context(), to.Account, ids, a.Now())
	if err != nil {
		return nil, err
	}
	if len(found) != len(ids) {
		return nil, gateway.Errorf(gateway.Invalid, "media_ids: the account of the number has uploaded no such file, or it has expired")
	}
	return ids, nil
}
