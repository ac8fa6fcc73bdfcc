# Targets and what they do: `make help`. Everything but the demo is scripts/test, one step or all of them.

GO ?= go

.DEFAULT_GOAL := help
.PHONY: help build test race lint fuzz bench crash demo all full

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

build: ## build the program: bin/weftbox
	$(GO) build -o bin/ ./cmd/weftbox

test: ## build, vet and run the tests of all packages
	./scripts/test build vet test

race: ## run the concurrent packages under the race detector (needs a C compiler)
	./scripts/test race

lint: ## gofmt, go vet and the rules of internal/lint
	./scripts/test format vet
	$(GO) test ./internal/lint

fuzz: ## run every fuzz target for ten seconds
	./scripts/test fuzz

bench: ## run the benchmarks of all packages
	$(GO) test -run '^$$' -bench . -benchmem ./...

crash: ## kill the engine 60 times in the middle of its work
	./scripts/test kill

demo: ## play the coupon story
	$(GO) run ./cmd/weftbox demo

all: ## everything CI runs
	./scripts/test

full: ## everything, with longer fuzzing, more kills and seeds, and the long tests (an hour or two)
	./scripts/test full
