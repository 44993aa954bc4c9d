package plivo

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
)

// tellInbound is what an application is told of a message from a handset, in the order of the parameters' names. Whatever is logged, it is all of it.
func (c *Callbacks) tellInbound(ctx context.Context, e *gateway.Event) ([]pair, error) {
	m := e.Message
	price := priceOf(m, e.State)
	params := []pair{
		{"From", m.From},
		{"MessageIntent", m.Intent.String()},
		{"MessageUUID", m.ID.String()},
		{"PowerpackUUID", idOrEmpty(m.Powerpack)},
		{"Text", m.Text},
		{"To", m.To},
		{"TotalAmount", price.amount},
		{"TotalRate", price.rate},
		{"Type", m.Service.String()},
		{"Units", strconv.Itoa(m.Units)},
	}
	if m.Service != gateway.MMS {
		return params, nil
	}
	links, err := c.linksOf(ctx, m)
	if err != nil {
		return nil, err
	}
	params = append(params, pair{"Body", m.Text}, pair{"ErrorCode", ""}, pair{"MediaCount", strconv.Itoa(len(links))}, pair{"Subject", m.Subject})
	for i, link := range links {
		params = append(params, pair{"Media" + strconv.Itoa(i), link})
	}
	slices.SortFunc(params, comparePairs)
	return params, nil
}

// linksOf makes links to the files of a message. When they cannot be read now, it is told later.
func (c *Callbacks) linksOf(ctx context.Context, m *gateway.Message) ([]string, error) {
	if c.Links == nil || len(m.MediaIDs) == 0 {
		return nil, nil
	}
	links, err := c.Links(ctx, m)
	if err != nil {
		return nil, gateway.Errorf(gateway.Unavailable, "the files of message %s cannot be read", m.ID)
	}
	return links, nil
}

// MediaLinks makes links to the files of messages: anybody who has one may read the file for a while.
type MediaLinks struct {
	// Read reads files of an account, those that are there at a time, in the order of the ids; a store's MediaByID.
	Read    func(ctx context.Context, account gateway.AccountID, ids []gateway.ID, at time.Time) ([]gateway.Medium, error)
	Library *media.Library
	// Base is what links begin with, without a slash at its end: where those who are told of messages reach the server.
	Base string
	Now  func() time.Time
}

// Of gives links to those of a message's files that are still there, in their order.
func (l *MediaLinks) Of(ctx context.Context, m *gateway.Message) ([]string, error) {
	found, err := l.Read(ctx, m.Account, parseIDs(m.MediaIDs), l.Now())
	if err != nil {
		return nil, err
	}
	links := make([]string, len(found))
	for i := range found {
		links[i] = l.Base + l.Library.Link(&found[i])
	}
	return links, nil
}
