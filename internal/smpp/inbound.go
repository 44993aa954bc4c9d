package smpp

import (
	"errors"
	"sync/atomic"
	"time"
)

// Request is a request of the peer that awaits our answer. While MaxInbound of them do, more are refused: with ESME_RMSGQFUL by an ESME, with
// ESME_RTHROTTLED by an SMSC. Both mean later. Not reading on would do too, but would hold up the answers to our own requests.
type Request struct {
	Header Header
	PDU    PDU

	session  *Session
	answered atomic.Bool
}

// Session is where the request came from.
func (r *Request) Session() *Session { return r.session }

// Respond answers; only the first answer counts. body is what the answer holds; nil is the usual: no body when refused, an empty one else. An
// error means that the answer will not arrive, mostly since the session is over: the peer will ask again.
func (r *Request) Respond(status Status, body PDU) error {
	if r.answered.Swap(true) || !awaitsAnswer(r.Header.Command) {
		return nil
	}
	s := r.session
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave()
	return s.respond(r.Header, status, body)
}

// leave counts a request of the peer out. mu is held.
func (s *Session) leave() {
	s.inbound--
	s.checkQuiet()
}

// respond queues a response. mu is held.
func (s *Session) respond(h Header, status Status, body PDU) error {
	if s.state == Closed || s.finishing {
		return ErrClosed
	}
	defer s.hurry()
	command := h.Command.Response()
	if body == nil && (status == ESME_ROK || command == CommandDeliverSMResp || command == CommandDataSMResp) {
		body = newBody(command)
	}
	if body == nil {
		s.enqueueStatus(command, h.Sequence, status)
		return nil
	}
	if err := s.enqueue(h.Sequence, status, body); err != nil {
		s.enqueueStatus(command, h.Sequence, ESME_RSYSERR)
		return err
	}
	return nil
}

func awaitsAnswer(command CommandID) bool {
	return command != CommandAlertNotification && command != CommandOutbind
}

// BindRequest is a bind that awaits our decision. Both answers may come later, from any goroutine; only the first counts.
type BindRequest struct {
	*Bind
	request *Request
}

// Session is where the request came from.
func (b *BindRequest) Session() *Session { return b.request.session }

// Header is the request's header.
func (b *BindRequest) Header() Header { return b.request.Header }

// Accept lets the ESME in; systemID is our own name. The answer is the first that the ESME gets on this bind.
func (b *BindRequest) Accept(systemID string) error {
	if b.request.answered.Swap(true) {
		return nil
	}
	s := b.request.session
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave()
	s.binding = false
	resp := &BindResp{Mode: b.Mode, SystemID: systemID, TLVs: TLVs{}.WithUint8(TagSCInterfaceVersion, InterfaceVersion)}
	if err := s.respond(b.request.Header, ESME_ROK, resp); err != nil {
		return err
	}
	s.state, s.bind = b.Mode.state(), b.Bind
	return nil
}

// Refuse answers with a status and closes the connection: who wants to try again connects again.
func (b *BindRequest) Refuse(status Status) error {
	if b.request.answered.Swap(true) {
		return nil
	}
	s := b.request.session
	s.mu.Lock()
	s.leave()
	s.binding = false
	err := s.respond(b.request.Header, status, nil)
	s.mu.Unlock()
	s.finish(errFinished)
	return err
}

// receiving notes when a PDU began that is not complete.
func (s *Session) receiving(begun bool) {
	if begun {
		s.partial.Store(s.ticks.Load())
	} else {
		s.partial.Store(never)
	}
}

// read takes PDUs from the connection until the session is over.
func (s *Session) read() {
	for {
		frame, err := s.frames.next()
		if err != nil {
			s.readFailed(err)
			return
		}
		s.heard.Store(s.ticks.Load())
		s.take(frame)
		s.awaitRoom()
	}
}

// readFailed ends the session. A peer that lost its framing is told so first.
func (s *Session) readFailed(err error) {
	var framing *FramingError
	if errors.As(err, &framing) {
		s.mu.Lock()
		s.enqueueStatus(CommandGenericNack, 0, ESME_RINVCMDLEN)
		s.mu.Unlock()
		s.finish(err)
		<-s.over
		return
	}
	s.fail(err)
}

func (s *Session) take(frame []byte) {
	h, body, err := Decode(frame)
	switch {
	case err != nil:
		s.undecodable(h, err)
	case h.Command.IsResponse():
		s.takeResponse(h, body, nil)
	default:
		s.takeRequest(h, body)
	}
}

// undecodable answers a request that could not be understood. A response that could not leaves its request without a useful answer.
func (s *Session) undecodable(h Header, err error) {
	s.logUndecodable(err)
	if h.Command.IsResponse() {
		s.takeResponse(h, nil, errors.Join(ErrUnanswered, err))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Undecodable++
	status := ESME_RSYSERR
	var invalid *Error
	if errors.As(err, &invalid) {
		status = invalid.Status
	}
	if newBody(h.Command) == nil || !awaitsAnswer(h.Command) {
		s.enqueueStatus(CommandGenericNack, h.Sequence, status)
		s.hurry()
		return
	}
	_ = s.respond(h, status, nil) // fails only when the session is over
}

// logEvery keeps a peer that sends nonsense from filling the log.
const logEvery = time.Minute

func (s *Session) logUndecodable(err error) {
	if now := s.ticks.Load(); now-s.loggedAt >= s.inTicks(logEvery) {
		s.loggedAt = now
		s.cfg.Logger.Warn("undecodable PDU", "peer", s.conn.RemoteAddr().String(), "error", err)
	}
}

// takeResponse gives a request its outcome.
func (s *Session) takeResponse(h Header, body PDU, err error) {
	s.mu.Lock()
	p, ok := s.window.answered(h)
	switch {
	case !ok:
		s.stats.Late++
	case err != nil:
		s.stats.Undecodable++
	default:
		s.stats.Answered++
	}
	s.checkQuiet()
	s.mu.Unlock()
	switch {
	case !ok:
	case err != nil:
		p.done(Response{}, err)
	default:
		p.done(Response{Status: h.Status, PDU: body}, nil)
	}
}

// takeRequest answers the session's own requests and hands the others to the handler.
func (s *Session) takeRequest(h Header, body PDU) {
	if h.Command == CommandEnquireLink {
		s.mu.Lock()
		_ = s.respond(h, ESME_ROK, nil)
		s.mu.Unlock()
		return
	}
	if !s.admit(h) {
		return
	}
	r := &Request{Header: h, PDU: body, session: s}
	switch bind, isBind := body.(*Bind); {
	case isBind && s.cfg.Authenticate != nil:
		s.cfg.Authenticate(&BindRequest{Bind: bind, request: r})
	case isBind:
		_ = (&BindRequest{Bind: bind, request: r}).Refuse(ESME_RBINDFAIL) // fails only when the session is over
	case h.Command == CommandUnbind:
		s.part(r)
	case s.cfg.Handler == nil:
		_ = r.Respond(ESME_RSYSERR, nil) // likewise
	default:
		s.cfg.Handler(r)
	}
}

// partFor is how long a peer that unbinds is waited for to answer what it has.
const partFor = 2 * time.Second

// part answers an unbind when our own requests have their answers, or do not get them soon: a peer that stops in order may still send those that
// it has, and each that it does not send leaves a message in doubt.
func (s *Session) part(unbind *Request) {
	s.mu.Lock()
	s.leaving = true
	s.parting, s.partBy = unbind, s.ticks.Load()+s.inTicks(partFor)
	s.mu.Unlock()
	s.checkParting()
}

// checkParting parts from a peer that unbinds, when the time has come.
func (s *Session) checkParting() {
	s.mu.Lock()
	unbind := s.parting
	if unbind == nil || s.window.used > 0 && s.ticks.Load() < s.partBy {
		s.mu.Unlock()
		return
	}
	s.parting = nil
	s.mu.Unlock()
	_ = unbind.Respond(ESME_ROK, nil) // fails only when the session is over
	s.finish(errFinished)
}

// admit counts a request of the peer in, or refuses it.
func (s *Session) admit(h Header) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finishing {
		return false // what we did not answer will come again
	}
	s.stats.Received++
	full := ESME_RMSGQFUL
	if s.role == SMSC {
		full = ESME_RTHROTTLED
	}
	status := ESME_ROK
	switch {
	case h.Command.IsBind() && (s.binding || s.state.Bound()):
		status = ESME_RALYBND
	case !requestStates(s.role.peer(), h.Command).has(s.state):
		status = ESME_RINVBNDSTS
	case h.Command != CommandUnbind && (s.leaving || s.inbound >= s.cfg.MaxInbound):
		s.stats.Refused++
		status = full
	}
	switch {
	case !awaitsAnswer(h.Command):
		return status == ESME_ROK
	case status != ESME_ROK:
		_ = s.respond(h, status, nil) // fails only when the session is over
		return false
	}
	s.inbound++
	s.binding = s.binding || h.Command.IsBind()
	return true
}
