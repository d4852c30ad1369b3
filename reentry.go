package restflow

import "context"

// A run that asks for its own key, through a cache within the cache or a function that
// calls itself, would wait for itself. So the context of a run names the flights that
// it is of, and who comes with it waits for none of them. Two runs that wait for
// each other's keys do so until one of their contexts ends.
type running struct {
	context.Context // that the run is in
	flight          *Flight
	outer           *running
}

type runningKey struct{}

func (r *running) Value(key any) any {
	if key == (runningKey{}) {
		return r
	}
	return r.Context.Value(key)
}

// within returns the context of f's run.
func (f *Flight) within(ctx context.Context) context.Context {
	outer, _ := ctx.Value(runningKey{}).(*running)
	return &running{ctx, f, outer}
}

// runs reports whether ctx is that of f's run.
func (f *Flight) runs(ctx context.Context) bool {
	r, _ := ctx.Value(runningKey{}).(*running)
	for r != nil && r.flight != f {
		r = r.outer
	}
	return r != nil
}
