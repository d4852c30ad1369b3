module github.com/restflow-go/restflow
