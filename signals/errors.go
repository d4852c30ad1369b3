package signals

import (
	"errors"
	"fmt"
)

// What callers can test for with errors.Is.
var (
	// ErrClosed is returned by Publish, Bind and Apply after Bus.Close, and by a closed Pool.
	ErrClosed = errors.New("signals: closed")

	// ErrTxDone is returned by Tx.Commit when the Tx was committed or rolled back before, or
	// when the Tx around it was rolled back.
	ErrTxDone = errors.New("signals: transaction is already committed or rolled back")

	// ErrNoTarget is wrapped by what Apply and DecodeJob return when no target of that name is
	// bound.
	ErrNoTarget = errors.New("no such target")
)

// BindError is one problem of a rule or of a target. Bind returns all of them at once, joined.
type BindError struct {
	Rule    string // the rule's name, "User->UserDetail"; empty for a problem of the target itself
	Target  string // the target's name
	Field   string // where in the Rule: `Map["pk"]`; empty for the rule as a whole
	Problem string // what is wrong: `User has no field "Id"`
	Mend    string // what to do: `did you mean "ID"?`
}

// Error prints `signals: rule User->UserDetail: Map["pk"]: problem; mend`.
func (e *BindError) Error() string {
	where := "rule " + e.Rule
	if e.Rule == "" {
		where = fmt.Sprintf("target %q", e.Target)
	}
	if e.Field != "" {
		where += ": " + e.Field
	}
	return fmt.Sprintf("signals: %s: %s; %s", where, e.Problem, e.Mend)
}

// flaw is a problem and its mend, found where nobody knows yet whose it is.
type flaw struct{ problem, mend string }

func (f *flaw) Error() string { return f.problem + "; " + f.mend }

func flawf(mend, problem string, args ...any) *flaw {
	return &flaw{problem: fmt.Sprintf(problem, args...), mend: mend}
}

// WorkError is a failure while changes were turned into invalidations. It is what OnError hooks
// get, and what Publish returns for rules whose error policy is Return.
type WorkError struct {
	Stage  Stage  // what failed
	Rule   string // the rule, or several joined by ", "; empty when no rule is to blame
	Target string // the target's name; empty for a subscriber
	Err    error  // the cause; a *PanicError if something panicked
}

// Error prints `signals: User->UserDetail: drop: cause`.
func (e *WorkError) Error() string {
	who := e.Rule
	if who == "" {
		who = e.Target
	}
	if who == "" {
		return fmt.Sprintf("signals: %s: %v", e.Stage, e.Err)
	}
	return fmt.Sprintf("signals: %s: %s: %v", who, e.Stage, e.Err)
}

// Unwrap returns the cause.
func (e *WorkError) Unwrap() error { return e.Err }

// Stage names the step that failed or was observed.
type Stage string

// The stages.
const (
	StagePublish   Stage = "publish"   // changes came after Close
	StageMatch     Stage = "match"     // a rule's If, Invalidate or On function failed: the rule widened
	StageDispatch  Stage = "dispatch"  // a dispatcher failed; a job that it did not run has run inline
	StageDrop      Stage = "drop"      // the target could not drop
	StageRewarm    Stage = "rewarm"    // the target dropped but could not compute entries again
	StageSubscribe Stage = "subscribe" // a subscriber panicked
)

// PanicError is the cause of a WorkError when a user's function or a target panicked.
type PanicError struct {
	Value any    // what recover returned
	Stack []byte // the stack of the goroutine that panicked
}

// Error prints `panic: value`.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
