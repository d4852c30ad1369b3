# Shorthands for what CONTRIBUTING.md describes. CI runs .ci/run, not this file.
.PHONY: test ci lint fmt fuzz bench bench-packages cover cache-tests

# How long one measurement of make bench takes.
BENCHTIME ?= 100ms

test: ## what the README says
	go test ./...

ci: ## everything, as before a merge
	bash .ci/run

lint: ## golangci-lint at the pinned version
	bash -euo pipefail -c 'source .ci/steps; run_lint'

fmt: ## gofumpt at the pinned version, in place
	bash -euo pipefail -c 'source .ci/steps; git ls-files "*.go" | xargs go run "$$GOFUMPT" -w'

fuzz: ## every fuzz target; FUZZ_TIME=1000000x make fuzz for longer
	bash -euo pipefail -c 'source .ci/steps; run_fuzz'

bench: ## against the peers; writes docs/benchmarks.md in about ten minutes, BENCHTIME=1s make bench for longer
	cd bench && go run ./report -benchtime $(BENCHTIME)

bench-packages: ## every benchmark of the packages, six times, for benchstat
	go test -run '^$$' -bench . -benchmem -count 6 ./...

cover: ## coverage of the whole tree by the whole tree's tests
	go test -coverpkg ./... -coverprofile cover.out ./...
	go tool cover -func cover.out | tail -n 1

cache-tests: ## the public tests for HTTP caches, and the tables in docs/http.md; needs node and npm
	@dir="$$(mktemp -d)" && trap 'rm -rf "$$dir"' EXIT && \
	npm install --prefix "$$dir" --no-save --no-audit --no-fund --ignore-scripts --loglevel error http-cache-tests@0.4.5 && \
	go run ./echocache/internal/cachetests -suite "$$dir/node_modules/http-cache-tests"
