package peer_test

import (
	"fmt"

	"github.com/restflow-go/restflow/bench/peer"
)

// Every peer is asked in the same way, whatever framework it runs in.
func Example() {
	runs := 0
	for _, p := range peer.Caches() {
		if p.Redis {
			continue
		}
		site, err := p.Open(peer.Env{Entries: 10, BodyBytes: 64}, func(item string) []byte {
			runs++
			return []byte("item " + item)
		})
		if err != nil {
			fmt.Println(p.Name, err)
			return
		}
		client := site.Client()
		client.Aim(7)
		client.Answer()
		if a := client.Answer(); a.Body != "item 7" {
			fmt.Println(p.Name, a)
		}
		site.Shut()
	}
	fmt.Println("caches:", runs)
	// Output: caches: 12
}
