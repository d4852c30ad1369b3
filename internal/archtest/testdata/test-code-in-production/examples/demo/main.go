// Command demo is here for a rule to look at.
package main

import _ "github.com/restflow-go/restflow/testutil"

func main() {}
