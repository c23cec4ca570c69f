SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help

BIN := bin
TOOLS := $(BIN)/tools
LOCAL := $(BIN)/local
CONTROLLER_GEN_VERSION := v0.23.0
GOLANGCI_LINT_VERSION := v2.15.0

GO_FILES := $(shell find cmd pkg -name '*.go' -not -path 'cmd/localcluster/*')
LOCALCLUSTER_FILES := $(shell find cmd/localcluster -type f)

.PHONY: help
help: ## Show the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(BIN)/multi-tenancy-operator $(BIN)/localcluster $(BIN)/demo ## Run the quick start on a throw-away local cluster and show its live status
	@exec $(BIN)/demo

# LONG are the longest tests, none of which promises a time. They run beside the
# others, on a local cluster of their own, and let those go first.
LONG := ^(TestWhatIsStoredIsWhatHelmStores|TestRandomEdits|TestSoak|TestCanary|Test(Crash|Helm|Record|Restart|Server|Tenancy)Faults)$$

.PHONY: test
test: $(BIN)/localcluster ## Run all tests, unit and on the local cluster
	@echo "compiling the tests"
	@go test -race -run '^$$' ./... >/dev/null
	@# One package at a time: more clusters at once would make the promised times a matter of luck.
	@set -x; rc=0; \
	nice go test -race -timeout 30m -run '$(LONG)' ./cmd/multi-tenancy-operator & long=$$!; \
	go test -race -p 1 -timeout 30m -skip '$(LONG)' ./... || rc=$$?; \
	wait $$long || rc=$$?; \
	exit $$rc

# T are the sizes of the bench for all contenders, in tenancies, and MORE those for
# floor and operator alone, with the scenarios: make bench T="25" MORE=""
T := 25 100
MORE := 1000

.PHONY: bench
bench: $(BIN)/multi-tenancy-operator $(BIN)/localcluster $(BIN)/bench ## Measure the operator beside plain API writes and a loop of helm commands
	@exec $(BIN)/bench -sizes "$(T)" -more "$(MORE)" $(BENCHFLAGS)

.PHONY: build
build: $(BIN)/multi-tenancy-operator $(BIN)/localcluster ## Build the binaries

$(BIN)/multi-tenancy-operator: $(GO_FILES) go.mod go.sum
	@echo "building the operator (the first build takes minutes)"
	CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o $@ ./cmd/multi-tenancy-operator

$(BIN)/demo: $(GO_FILES) go.mod go.sum
	go build -o $@ ./cmd/demo

$(BIN)/bench: $(GO_FILES) go.mod go.sum
	go build -o $@ ./cmd/bench

$(BIN)/localcluster: $(LOCALCLUSTER_FILES)
	cmd/localcluster/build.sh $(abspath $@)

.PHONY: cluster-up
cluster-up: $(BIN)/localcluster ## Start a local cluster to play with (bin/local/kubeconfig)
	@$(BIN)/localcluster up --dir $(LOCAL)

.PHONY: cluster-down
cluster-down: $(BIN)/localcluster ## Stop it and remove its data
	@$(BIN)/localcluster down --dir $(LOCAL)

.PHONY: generate
generate: $(TOOLS)/controller-gen-$(CONTROLLER_GEN_VERSION) ## Generate the CRD and deep copies
	$< object crd:maxDescLen=512 paths=./pkg/api/... output:crd:dir=deploy/crd

.PHONY: fmt
fmt: $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION) ## Format the code
	$< fmt ./...

.PHONY: lint
lint: $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION) ## Lint the code
	$< run ./...
	cd cmd/localcluster && GOFLAGS=-trimpath ../../$< run --config ../../.golangci.yml ./...

.PHONY: tidy
tidy: ## Tidy both modules
	go mod tidy
	cd cmd/localcluster && go mod tidy

.PHONY: verify
verify: generate fmt tidy lint ## Check that everything generated, formatted and tidy is committed, and lint
	go vet ./...
	@# With -trimpath, as it is built: without, all of Kubernetes would be compiled once more.
	cd cmd/localcluster && go vet -trimpath ./...
	go test -run TestLayers ./pkg
	@git diff --exit-code || (echo "verify: the files above differ from what is committed; commit them" >&2; exit 1)
	@test -z "$$(git status --porcelain)" || (git status --short; echo "verify: the files above are not committed" >&2; exit 1)

.PHONY: clean
clean: ## Stop the local cluster and remove what was built
	@test ! -x $(BIN)/localcluster || $(BIN)/localcluster down --dir $(LOCAL)
	rm -rf $(BIN)

$(TOOLS)/controller-gen-$(CONTROLLER_GEN_VERSION):
	GOBIN=$(abspath $(TOOLS)) go install sigs.k8s.io/controller-tools/cmd/controller-gen@$(CONTROLLER_GEN_VERSION)
	mv $(TOOLS)/controller-gen $@

$(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION):
	@echo "building golangci-lint $(GOLANGCI_LINT_VERSION); the first time takes minutes"
	GOBIN=$(abspath $(TOOLS)) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv $(TOOLS)/golangci-lint $@
