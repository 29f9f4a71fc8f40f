# `make check` is the whole proof; the other targets are its parts.

LINT := go tool -modfile=e2e/tools/go.mod golangci-lint

.NOTPARALLEL:
.PHONY: check install build vet format lint test servers seeds e2e kill-matrix walk migrate-proofs week sim bench bench-quick reproducible

check: install build vet format lint servers seeds e2e
	@echo "make check: passed"

# Clients and store servers for the tests; quiet when nothing is missing.
install:
	@./e2e/install.sh

build:
	go build ./...

vet:
	go vet ./...
	go vet -tags e2e ./...

format:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not gofmt'ed:"; echo "$$unformatted"; exit 1; fi

lint:
	$(LINT) run ./...

# Quick: needs no server and no client.
test:
	go test ./...

# Everything except the end-to-end package and the simulator, with the stores' conformance suites on real servers.
servers:
	go run ./e2e/withstores -- go test -race -tags e2e -timeout 20m $$(go list ./... | grep -v -e '/e2e$$' -e '/e2e/sim$$')

# Seeds of the simulator, old and new; run in its folder, so that go test shows how many commands it sent.
seeds:
	cd e2e/sim && go test -race -tags e2e -count 1 -timeout 20m

# The built binary against real clients; run in its folder, so that go test shows the table of results.
e2e:
	cd e2e && go test -race -tags e2e -count 1 -parallel 6 -timeout 30m

# Every way for a client to vanish in every mode on every store, of which e2e runs a sample.
kill-matrix:
	cd e2e && CAUSEWAY_KILLS=all CAUSEWAY_KILLS_RUNS=50 go test -race -tags e2e -count 1 -parallel 6 -timeout 4h -run KillMatrix

# Two hundred partners of one bucket, of which e2e sends a share, look for each other's files.
walk:
	cd e2e && CAUSEWAY_WALK=100000 go test -tags e2e -count 1 -timeout 1h -v -run TwoHundredPartners

# A million small files of an old server, in one directory and in a thousand, of which e2e copies a few.
# One file of 20 GiB, whose copy is killed three times; e2e has 200 MiB.
migrate-proofs:
	cd e2e && CAUSEWAY_MIGRATE_NAMES=1000000 go test -tags e2e -count 1 -timeout 3h -v -run MigrateManyNames
	cd e2e && CAUSEWAY_MIGRATE_LARGE=20480 go test -tags e2e -count 1 -timeout 1h -v -run MigrateKilledGoesOn

# Twenty thousand files of two hundred users leave each old server while their clients go on; WEEK= for a few.
# CAUSEWAY_WEEK_SERVER takes one of vsftpd, proftpd and pure-ftpd. It looks for what happens once in many runs, and so
# is no part of check: what it finds is mended with a test of its own.
WEEK ?= all
week:
	cd e2e && CAUSEWAY_WEEK=$(WEEK) go test -race -tags 'e2e week' -count 1 -timeout 6h -v -run 'TestAWeek$$'

# New seeds for the simulator for SIM_TIME; one that fails is kept in its testdata.
SIM_TIME ?= 10m
sim:
	SIM_TIME=$(SIM_TIME) go test -count 1 -timeout 0 -v -run Simulator ./e2e/sim

# What the gateway adds to the work of the cloud's SDK, as a table with limits; on Linux.
# BENCH selects cases by a regular expression.
BENCH ?= .
bench: install
	go run ./e2e/bench -run '$(BENCH)' -json bench.json

# Less, in fewer rounds: shows that all runs, and proves no target.
bench-quick: install
	go run ./e2e/bench -quick -run '$(BENCH)'

# The program, built from this folder and from a copy elsewhere, is the same to the octet.
reproducible:
	@dir=$$(mktemp -d) && mkdir $$dir/copy && cp -r go.mod go.sum auth backends cache cmd configs gateway $$dir/copy && \
	go build -trimpath -buildvcs=false -o $$dir/here ./cmd/causeway && \
	(cd $$dir/copy && go build -trimpath -buildvcs=false -o $$dir/there ./cmd/causeway) && \
	cmp $$dir/here $$dir/there && rm -r $$dir && echo "make reproducible: the same to the octet"
