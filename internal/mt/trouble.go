package mt

import "log/slog"

// trouble says once when something begins to fail, and once when it works again. Each is used by one goroutine.
type trouble struct{ failing bool }

// note takes up how the last try went.
func (t *trouble) note(log *slog.Logger, what string, err error) {
	switch {
	case err != nil && !t.failing:
		log.Error(what+"; trying again", "err", err)
	case err == nil && t.failing:
		log.Info("works again: " + what)
	}
	t.failing = err != nil
}
