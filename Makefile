# regtok: `make` shows what there is to make.
GOLANGCI := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
PAGES := web/dist/index.html
PAGE_SOURCES := $(shell find web -not -path '*/node_modules*' -not -path '*/dist*' -type f -not -name '*.go') schema.graphqls

.DEFAULT_GOAL := help
.PHONY: help demo run build pages test check lint tidy-check generate generate-check web-check vuln sbom reproducible soak fuzz bench clean

help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 18

demo: build ## build everything and serve the API over emulated providers, with a playground
	@bin/regtok demo

run: build ## build everything and serve the API over your accounts (see `bin/regtok serve -h`)
	@bin/regtok serve

build: pages ## build the pages and the program, bin/regtok
	CGO_ENABLED=0 go build -trimpath -buildvcs=auto -o bin/regtok ./cmd/regtok

pages: $(PAGES) ## build the playground's pages
$(PAGES): $(PAGE_SOURCES)
	cd web && npm ci --no-audit --no-fund && npm run build
	@touch $(PAGES)

PACKAGES := graph/transport/audit/node_modules/.package-lock.json graph/transport/clients/node_modules/.package-lock.json providers/ionos/emulator/sdktest/node_modules/.package-lock.json
%/node_modules/.package-lock.json: %/package-lock.json
	cd $* && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

test: pages $(PACKAGES) ## run every test; installs what it misses, when it may
	@.ci/need gcc "gcc libc6-dev"
	@.ci/need "chromium chromium-browser google-chrome" chromium
	@.ci/need curl curl
	@.ci/need redis-server redis-server
	go vet ./...
	go test -race -timeout 20m ./...

check: test lint tidy-check generate-check web-check fuzz ## everything that a change has to pass

# What strangers can say: the packages, and in each the functions that are given it.
FUZZ := ./providers:FuzzParseID ./providers:FuzzDecodeCursor ./catalog:FuzzCursor ./eventlog:FuzzCursor \
	./graph/internal/scalar:FuzzDuration ./graph/internal/scalar:FuzzDateTime ./graph/limits:FuzzOperation \
	./graph/transport:FuzzRequest ./graph/transport:FuzzFrames \
	./providers/buildkite:FuzzWhateverComesIsTokensOrAnError ./providers/buildkite:FuzzWhateverComesIsRegistriesOrAnError \
	./providers/ionos:FuzzWhateverComesIsTokensOrAnError ./providers/ionos:FuzzWhateverComesIsRegistriesOrAnError

fuzz: ## look for input that breaks something, half a minute for each kind; FUZZTIME=10m for longer
	@for target in $(FUZZ); do \
		echo "$${target#*:} in $${target%:*}"; \
		go test "$${target%:*}" -list "^$${target#*:}$$" | grep -qx "$${target#*:}" || { echo "it is not there" >&2; exit 1; }; \
		go test "$${target%:*}" -run '^$$' -fuzz "^$${target#*:}$$" -fuzztime $(or $(FUZZTIME),30s) || exit 1; \
	done

lint: ## run the linters
	$(GOLANGCI) run ./...

tidy-check: ## fail when go.mod or go.sum is not tidy
	go mod tidy -diff

generate: ## make the generated code from schema.graphqls and gqlgen.yml, and docs/errors.md from package codes
	go tool gqlgen generate
	go generate ./codes

generate-check: generate ## fail when what is generated is not what is committed
	@git diff --exit-code -- graph/internal docs/errors.md || { echo "run make generate and commit what it changes" >&2; exit 1; }

vuln: ## look for known vulnerabilities; asks databases on the internet, and says so when they are out of reach
	@.ci/vuln

sbom: build ## tell what the program and its pages are built of: bin/regtok.cdx.json, bin/pages.cdx.json
	go run ./sbom bin/regtok > bin/regtok.cdx.json
	cd web && npm sbom --sbom-format cyclonedx --package-lock-only > ../bin/pages.cdx.json

reproducible: pages ## build the last commit twice, in two folders with nothing in common, and compare
	@.ci/reproducible

web-check: pages ## check the pages' types
	cd web && npm run check

soak: pages ## ten minutes of load on replicas that are killed in between, ten of subscribers, and 2,000 stories of the budget; SOAK=30m for longer, KEEP=folder for the logs
	@.ci/need redis-server redis-server
	go test ./soak -run '^Test(Soak|EverySubscriberHearsTheLog)$$' -v -count 1 -timeout 2h -soak $(or $(SOAK),10m) $(if $(KEEP),-keep $(abspath $(KEEP)))
	go test ./providers/budget -run NeverRefused -count 1 -timeout 2h -rapid.checks 200

bench: ## run the benchmarks; pipe several runs into benchstat to compare
	go test -run '^$$' -bench . -benchmem -count $(or $(COUNT),1) $(or $(PKG),./...)

clean: ## remove what was built
	rm -rf bin web/dist/assets web/dist/*.html web/dist/*.gz
