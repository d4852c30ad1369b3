package restflow_test

func boom() { panic("fine") }
