package signals

import "context"

// Job is the work of one commit on one target.
type Job struct {
	Target string
	Rules  []string
	Groups []Group
	Rewarm []any
}

// Run drops the job's groups, then rewarms.
func (j Job) Run(ctx context.Context) error { return nil }
