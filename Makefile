# Shorthands for what CONTRIBUTING.md describes. CI runs .ci/run, not this file.
.PHONY: test ci lint fmt fuzz bench cover

test: ## what the README says
	go test ./...

ci: ## everything, as before a merge
	bash .ci/run

lint: ## golangci-lint at the pinned version
	bash -euo pipefail -c 'source .ci/steps; run_lint'

fmt: ## gofumpt at the pinned version, in place
	bash -euo pipefail -c 'source .ci/steps; git ls-files "*.go" | xargs go run "$$GOFUMPT" -w'

fuzz: ## every fuzz target; FUZZ_TIME=1m make fuzz for longer
	bash -euo pipefail -c 'source .ci/steps; run_fuzz'

bench: ## every benchmark, six times, for benchstat
	go test -run '^$$' -bench . -benchmem -count 6 ./...

cover: ## coverage of the whole tree by the whole tree's tests
	go test -coverpkg ./... -coverprofile cover.out ./...
	go tool cover -func cover.out | tail -n 1
