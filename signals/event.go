package signals

import "time"

// Event tells of one job that ended.
type Event struct {
	Target   string        // the target's name
	Rules    []string      // the rules that the job serves; nil for Apply
	Groups   int           // groups dropped in one batch
	All      bool          // whether the whole cache was dropped
	Rewarmed int           // keys that were asked to be computed again
	Duration time.Duration // from the start of the job to its end
	Err      error         // a *WorkError, or nil
}
