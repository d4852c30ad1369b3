package archtest_test

import (
	"fmt"
	"testing/fstest"

	"github.com/restflow-go/restflow/internal/archtest"
)

func Example() {
	tree, err := archtest.Load(fstest.MapFS{
		"go.mod":      {Data: []byte("module example.com/shop\n")},
		"web/page.go": {Data: []byte("package web\n\nimport _ \"example.com/shop/database\"\n")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	rules := []archtest.Rule{
		archtest.PackageComment{},
		archtest.Imports{
			Of:   []string{"web/..."},
			Deny: []string{"self/database/..."},
			Why:  "pages know no tables",
			Mend: "ask through the model package",
		},
	}
	for _, v := range archtest.Check(tree, rules) {
		fmt.Println(v)
	}
	// Output:
	// web/page.go: package web has no package comment; say in doc.go (main.go of a command) what it promises
	// web/page.go:3: imports "example.com/shop/database": pages know no tables; ask through the model package
}
