package signals

// Generation identifies what is bound and subscribed at the moment: equal values mean that
// nothing was added or removed in between. Sources compare it to keep what they derived from
// Models and Wants. It takes no lock.
func (b *Bus) Generation() any { return b.registry.Load() }
