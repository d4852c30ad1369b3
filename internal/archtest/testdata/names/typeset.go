package restflow
