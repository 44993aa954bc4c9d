package operator

import (
	"net/http"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

type heldView struct {
	MessageUUID string    `json:"message_uuid"`
	AuthID      string    `json:"auth_id"`
	Carrier     string    `json:"carrier"`
	MarkedAt    time.Time `json:"submitted_at"`
}

// listHeld shows messages whose submit was never answered by a carrier that is set to hold, the oldest first.
func (a *API) listHeld(r *http.Request) (int, any, error) {
	query, err := params(r, "limit")
	if err != nil {
		return 0, nil, err
	}
	limit, err := intParam(query, "limit", 100, 1, 10_000)
	if err != nil {
		return 0, nil, err
	}
	held, err := a.Store.HeldMessages(r.Context(), limit+1)
	if err != nil {
		return 0, nil, err
	}
	more := len(held) > limit
	held = held[:min(limit, len(held))]
	views := make([]heldView, len(held))
	for i, h := range held {
		views[i] = heldView{MessageUUID: h.ID.String(), AuthID: string(h.Account), Carrier: h.Carrier, MarkedAt: h.MarkedAt.UTC()}
	}
	return http.StatusOK, map[string]any{"held": views, "more": more}, nil
}

// resendHeld sends a held message again: the operator knows that the carrier does not have it, or prefers two to none.
func (a *API) resendHeld(r *http.Request) (int, any, error) {
	id, err := pathID(r)
	if err != nil {
		return 0, nil, err
	}
	m, err := a.Store.ReleaseHeld(r.Context(), id, a.Now())
	if err != nil {
		return 0, nil, err
	}
	a.Queue.Return(m)
	a.Log.Info("held message goes again", "message", id)
	return http.StatusOK, map[string]string{"message": "queued again"}, nil
}

// failHeld ends a held message.
func (a *API) failHeld(r *http.Request) (int, any, error) {
	id, err := pathID(r)
	if err != nil {
		return 0, nil, err
	}
	applied, err := a.Store.FailHeld(r.Context(), id, a.Now())
	if err != nil {
		return 0, nil, err
	}
	if len(applied.Events) > 0 {
		a.Told(applied.Events)
	}
	a.Log.Info("held message failed", "message", id)
	return http.StatusOK, map[string]string{"message": "failed"}, nil
}

// pathID reads the id that the path names.
func pathID(r *http.Request) (gateway.ID, error) {
	id, ok := gateway.ParseID(r.PathValue("id"))
	if !ok {
		return id, gateway.Errorf(gateway.NotFound, "not found")
	}
	return id, nil
}
