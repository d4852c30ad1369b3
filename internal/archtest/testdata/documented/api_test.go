package restflow_test

func Bare() {}
