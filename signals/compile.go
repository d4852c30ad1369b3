package signals

// rule is a Rule bound to a target.
type rule struct {
	name string
}
