package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/mms"
	"github.com/heliograph/heliograph/internal/mt"
	"github.com/heliograph/heliograph/internal/operator"
	"github.com/heliograph/heliograph/internal/plivo"
	"github.com/heliograph/heliograph/internal/vasp"
)

// What the MM7 settings are called.
var (
	transfers     = map[string]mm7.Transfer{"": mm7.Binary, "binary": mm7.Binary, "base64": mm7.Base64}
	reportAsked   = map[string]bool{"": true, "final": true, "none": false}
	reportMeaning = map[string]vasp.Report{
		"delivered": {Outcome: gateway.ReceiptDelivered}, "pending": {Outcome: gateway.InTransit},
	}
)

// defaultMaxBytes is what an MMS may have: what the contract recommends for handsets, and what networks of the last ten years take.
const defaultMaxBytes = 600_000

// leastBytes leaves some room for files.
const leastBytes = 2 * mms.Overhead

// checkMM7 finds what is wrong with an MM7 carrier. exposed: others than this machine can post to it.
func (c *CarrierConfig) checkMM7(exposed bool) []error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if at, err := url.Parse(c.URL); err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Hostname() == "" || at.User != nil {
		wrong("url: must be the http or https URL of the MMSC, without credentials")
	}
	if strings.ContainsAny(c.Name, "/?#%") {
		wrong("name: must have none of / ? # %% : it is part of the address that the MMSC posts to")
	}
	if c.Window < 0 || c.Window > maxWindow {
		wrong("window: must be 1 to %d", maxWindow)
	}
	if c.ResponseTimeout < 0 {
		wrong("response_timeout: must not be negative")
	}
	if _, ok := transfers[c.Transfer]; !ok {
		wrong("transfer: must be binary or base64")
	}
	if _, ok := reportAsked[c.Receipts]; !ok {
		wrong("receipts: must be final or none")
	}
	if _, err := c.mm7Answers(); err != nil {
		wrong("answers: %w", err)
	}
	if _, err := c.mm7Reports(); err != nil {
		wrong("report_states: %w", err)
	}
	if _, err := c.tlsConfig(); err != nil {
		wrong("tls_ca: %w", err)
	}
	if (c.InboundUsername == "") != (c.InboundPassword == "") {
		wrong("inbound_username, inbound_password: belong together")
	}
	if exposed && c.InboundPassword == "" {
		wrong("inbound_username, inbound_password: must be set where others than this machine reach the server")
	}
	return append(errs, c.checkMMS()...)
}

// checkMMS finds what is wrong with what a carrier takes in one message.
func (c *CarrierConfig) checkMMS() []error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.MaxBytes != 0 && c.MaxBytes < leastBytes {
		wrong("max_bytes: must be %d or more", leastBytes)
	}
	if c.MaxWidth < 0 || c.MaxHeight < 0 {
		wrong("max_width, max_height: must not be negative")
	}
	for _, name := range c.MediaTypes {
		if !media.Taken(name) {
			wrong("media_types: files of type %q are not taken", name)
		}
	}
	return errs
}

// limits are those of the files of a message that goes by the carrier; ok is false where there are none.
func (c *CarrierConfig) limits() (limits media.MessageLimits, ok bool) {
	if c.Protocol != "mm7" && c.Protocol != "mm4" {
		return limits, false
	}
	most := c.MaxBytes
	if most == 0 {
		most = defaultMaxBytes
	}
	return media.MessageLimits{
		MaxBytes: most - mms.Overhead, File: media.Limits{MaxWidth: c.MaxWidth, MaxHeight: c.MaxHeight, Types: c.MediaTypes},
	}, true
}

// mediaLimits gives the limits of a carrier by its name.
func (c *Config) mediaLimits(carrier string) (media.MessageLimits, bool) {
	i := slices.IndexFunc(c.Carriers, func(cc CarrierConfig) bool { return cc.Name == carrier })
	if i < 0 {
		return media.MessageLimits{}, false
	}
	return c.Carriers[i].limits()
}

// vasp makes a carrier's settings of its configuration, but for what is wired to it.
func (c *CarrierConfig) vasp() (vasp.Config, error) {
	tls, tlsErr := c.tlsConfig()
	answers, answersErr := c.mm7Answers()
	reports, reportsErr := c.mm7Reports()
	settings := vasp.Config{
		Name: c.Name, URL: c.URL, TLS: tls, Username: c.Username, Password: c.Password, VASPID: c.VASPID, VASID: c.VASID, ServiceCode: c.ServiceCode,
		Dialect: mm7.Dialect{Schema: c.Schema, Version: c.MM7Version}, Transfer: transfers[c.Transfer],
		Window: c.Window, ResponseTimeout: time.Duration(c.ResponseTimeout), NoReports: !reportAsked[c.Receipts], ValidityPeriod: c.Validity,
		BareNumbers: c.BareNumbers, AnyTransactionID: c.AnyTransactionID, Answers: answers, MMStates: reports,
		InboundUsername: c.InboundUsername, InboundPassword: c.InboundPassword,
	}
	if c.AllowAdaptations != nil {
		settings.Adaptations = mm7.No
		if *c.AllowAdaptations {
			settings.Adaptations = mm7.Yes
		}
	}
	return settings, errors.Join(tlsErr, answersErr, reportsErr)
}

// mm7Answers reads what the configuration says of StatusCodes.
func (c *CarrierConfig) mm7Answers() (map[mm7.StatusCode]vasp.Answer, error) {
	return readAnswers[mm7.StatusCode, vasp.Answer](c.Answers, func(name string) (mm7.StatusCode, error) {
		value, err := strconv.Atoi(name)
		if err != nil || value < 1000 || value > 9999 {
			return 0, fmt.Errorf("%q is no StatusCode such as \"4006\"", name)
		}
		return mm7.StatusCode(value), nil
	})
}

// mm7Reports reads what the configuration says of MMStatus values.
func (c *CarrierConfig) mm7Reports() (map[string]vasp.Report, error) {
	reports := make(map[string]vasp.Report, len(c.ReportStates))
	for state, meaning := range c.ReportStates {
		report, ok := reportMeaning[meaning]
		if !ok {
			report.Outcome = gateway.ReceiptUndelivered
			if report.Reason, ok = plivo.ReasonOf(meaning); !ok {
				return nil, fmt.Errorf("%q of %s must be delivered, pending or an error code", meaning, state)
			}
		}
		reports[state] = report
	}
	return reports, nil
}

func addMM7(c *CarrierConfig, d *mt.Dispatcher, settings mt.CarrierSettings, w *wires) (carrier, error) {
	settled, err := c.vasp()
	if err != nil {
		return carrier{}, err
	}
	limits, _ := c.limits()
	settled.Now, settled.Log, settled.Ends = time.Now, w.log, w.ends(limits)
	v, err := vasp.New(settled)
	if err != nil {
		return carrier{}, err
	}
	settings.Services = gateway.Services(gateway.MMS)
	v.OnPlaces(d.AddCarrier(c.Name, v, settings))
	return carrier{
		name: c.Name, run: v.Run, receipted: v.Receipts, posted: v, counted: func() map[string]int64 { return mm7Counts(v.Stats()) },
		brought: func() (map[string]int64, int64) {
			n := v.Stats()
			return map[string]int64{
				"taken": n.InboundTaken, "repeated": n.InboundRepeated, "unowned": n.InboundUnowned, "put_off": n.InboundPutOff,
			}, n.Intruders
		},
		binds: func() []operator.Bind { return bindsOf(v.Binds()) },
	}, nil
}

// mm7Counts are what the metrics show of a carrier besides what they show of all.
func mm7Counts(s vasp.Stats) map[string]int64 {
	return map[string]int64{
		"receipt_put_off": s.ReceiptsPutOff, "read": s.Reads,
		"file_taken": s.FilesTaken, "file_dropped": s.FilesDropped, "up": s.Ups, "down": s.Falls,
	}
}
