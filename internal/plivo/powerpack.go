package plivo

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Bounds of a powerpack's texts.
const (
	maxName          = 255
	maxApplicationID = 64
)

// powerpack is a powerpack as the contract shows it, in lists. Patience, NumberPoolRefresh and the keywords are additions of ours.
type powerpack struct {
	UUID              string           `json:"uuid"`
	Name              string           `json:"name"`
	StickySender      bool             `json:"sticky_sender"`
	LocalConnect      bool             `json:"local_connect"`
	ApplicationType   string           `json:"application_type"`
	ApplicationID     string           `json:"application_id"`
	NumberPool        string           `json:"number_pool"`
	NumberPriority    []numberPriority `json:"number_priority"`
	Patience          int              `json:"patience"` // in seconds, as it applies
	NumberPoolRefresh bool             `json:"number_pool_refresh"`
	powerpackKeywords
	CreatedOn   string `json:"created_on"`
	ResourceURI string `json:"powerpack_resource_uri"`
}

// singlePowerpack is a powerpack as the contract shows it alone.
type singlePowerpack struct {
	APIID string `json:"api_id"`
	powerpack
}

// removed is the answer to a removal.
type removed struct {
	APIID    string `json:"api_id"`
	Response string `json:"response"`
}

func showPowerpack(c *call, p *gateway.Powerpack) powerpack {
	return powerpack{
		UUID: p.ID.String(), Name: p.Name, StickySender: p.Sticky, LocalConnect: p.LocalConnect,
		ApplicationType: p.ApplicationType, ApplicationID: p.ApplicationID,
		// Clients take the sixth element of a split at the slashes: it must begin with one and name no host.
		NumberPool:     c.resource("/NumberPool/" + p.Pool.String() + "/"),
		NumberPriority: showPriorities(p.Priorities), Patience: int(cmp.Or(p.Patience, gateway.DefaultPatience) / time.Second),
		NumberPoolRefresh: p.Refresh, powerpackKeywords: showKeywords(&p.Keywords), CreatedOn: stamp(p.CreatedAt), ResourceURI: c.resource("/Powerpack/" + p.ID.String() + "/"),
	}
}

func (a *API) createPowerpack(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	p := gateway.Powerpack{
		ID: a.ids.Next(c.at), Account: c.accountID(), Pool: a.ids.Next(c.at), Sticky: true, LocalConnect: true, CreatedAt: c.at,
	}
	if err := readPowerpack(args, &p); err != nil {
		return answer{}, err
	}
	if p.Name == "" {
		return answer{}, gateway.Errorf(gateway.Invalid, "name parameter not present")
	}
	if err := a.store.CreatePowerpack(c.context(), p); err != nil {
		return answer{}, asInvalid(err)
	}
	if err := a.tellChange(c); err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, singlePowerpack{c.id.String(), showPowerpack(c, &p)}}, nil
}

// readPowerpack changes what the arguments give.
func readPowerpack(args arguments, p *gateway.Powerpack) (err error) {
	if err := readName(args, p); err != nil {
		return err
	}
	if p.Sticky, err = args.boolean("sticky_sender", p.Sticky); err != nil {
		return err
	}
	if p.LocalConnect, err = args.boolean("local_connect", p.LocalConnect); err != nil {
		return err
	}
	if err := readApplication(args, p); err != nil {
		return err
	}
	if p.Patience, err = readPatience(args, p.Patience); err != nil {
		return err
	}
	if p.Refresh, err = args.boolean("number_pool_refresh", p.Refresh); err != nil {
		return err
	}
	if err := readKeywords(args, &p.Keywords); err != nil {
		return err
	}
	priorities, err := readPriorities(args)
	if err == nil && priorities != nil {
		p.Priorities = priorities
	}
	return err
}

// readPatience reads how long a message may have to wait for the preferred type of senders; zero is the default.
func readPatience(args arguments, absent time.Duration) (time.Duration, error) {
	seconds, err := args.integer("patience", 0, int(gateway.MaxExpiry/time.Second), int(absent/time.Second))
	return time.Duration(seconds) * time.Second, err
}

func readName(args arguments, p *gateway.Powerpack) error {
	name, err := args.text("name")
	if err != nil || name == "" {
		return err
	}
	name = strings.TrimSpace(name)
	if !isName(name) {
		return gateway.Errorf(gateway.Invalid, "name must have 1 to %d characters and no control characters", maxName)
	}
	p.Name = name
	return nil
}

// readApplication links an application, or unlinks it: with the id "none".
func readApplication(args arguments, p *gateway.Powerpack) error {
	id, err := args.text("application_id")
	if err != nil {
		return err
	}
	kind, err := args.text("application_type")
	if err != nil {
		return err
	}
	if kind = strings.ToLower(kind); kind != "" && kind != "xml" && kind != "phlo" {
		return gateway.Errorf(gateway.Invalid, "application_type must be xml or phlo")
	}
	switch {
	case foldEqual(id, "none"):
		p.ApplicationID, p.ApplicationType = "", ""
		return nil
	case !isApplicationID(id):
		return gateway.Errorf(gateway.Invalid, "application_id is not the id of an application")
	case id != "":
		p.ApplicationID = id
	}
	switch {
	case p.ApplicationID == "":
		p.ApplicationType = ""
	case kind != "":
		p.ApplicationType = kind
	case p.ApplicationType == "":
		p.ApplicationType = "xml"
	}
	return nil
}

// isApplicationID tells whether a text, if it is not empty, has the form of an application's id.
func isApplicationID(id string) bool {
	return len(id) <= maxApplicationID && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' })
}

func (a *API) listPowerpacks(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	p, err := readPage(args)
	if err != nil {
		return answer{}, err
	}
	found, total, err := a.store.Powerpacks(c.context(), c.accountID(), p.limit, p.offset)
	if err != nil {
		return answer{}, err
	}
	body := list[powerpack]{c.id.String(), newMeta(c.resource("/Powerpack/"), args, p, total), make([]powerpack, len(found))}
	for i := range found {
		body.Objects[i] = showPowerpack(c, &found[i])
	}
	return answer{http.StatusOK, body}, nil
}

// powerpackOf finds the powerpack that the path names.
func (a *API) powerpackOf(c *call) (gateway.Powerpack, error) {
	id, ok := gateway.ParseID(c.param(paramID))
	if !ok {
		return gateway.Powerpack{}, errNotFound
	}
	return a.store.Powerpack(c.context(), c.accountID(), id)
}

func (a *API) getPowerpack(c *call) (answer, error) {
	p, err := a.powerpackOf(c)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, singlePowerpack{c.id.String(), showPowerpack(c, &p)}}, nil
}

func (a *API) updatePowerpack(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	p, err := a.powerpackOf(c)
	if err != nil {
		return answer{}, err
	}
	if err := readPowerpack(args, &p); err != nil {
		return answer{}, err
	}
	if err := a.store.UpdatePowerpack(c.context(), p); err != nil {
		return answer{}, asInvalid(err)
	}
	if err := a.tellChange(c); err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, singlePowerpack{c.id.String(), showPowerpack(c, &p)}}, nil
}

func (a *API) deletePowerpack(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	unrent, err := args.boolean("unrent_numbers", false)
	if err != nil {
		return answer{}, err
	}
	id, ok := gateway.ParseID(c.param(paramID))
	if !ok {
		return answer{}, errNotFound
	}
	if err := a.store.DeletePowerpack(c.context(), c.accountID(), id, unrent); err != nil {
		return answer{}, err
	}
	return a.gone(c)
}

// gone answers a removal.
func (a *API) gone(c *call) (answer, error) {
	if err := a.tellChange(c); err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, removed{c.id.String(), "success"}}, nil
}

// tellChange makes new messages follow a change that the store has. It is finished even if the client goes away meanwhile.
func (a *API) tellChange(c *call) error {
	err := a.changed(context.WithoutCancel(c.context()))
	if err == nil {
		return nil
	}
	a.log.Error("a change is stored, but the message path could not read it", "api_id", c.id.String(), "err", err)
	return gateway.Errorf(gateway.Unavailable, "the change was stored, but does not hold for new messages yet")
}
