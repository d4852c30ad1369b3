// Command quickstart is here for a rule to look at.
package main

import (
	_ "gorm.io/gorm"

	_ "github.com/restflow-go/restflow/echocache"
	_ "github.com/restflow-go/restflow/signals/gormsignals"
)

func main() {}
