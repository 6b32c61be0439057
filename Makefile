# Every target installs what it misses (scripts/install-deps.sh), builds what it needs and runs.
.DEFAULT_GOAL := help
.PHONY: help build demo test lint bench asan tsan fuzz crash soak clients format docs clean \
	deps deps-test deps-lint deps-clients

JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
export CMAKE_CXX_COMPILER_LAUNCHER ?= $(shell command -v ccache)
CTEST := ctest --output-on-failure --no-tests=error

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

deps:
	@scripts/install-deps.sh build
deps-test:
	@scripts/install-deps.sh build test
deps-lint:
	@scripts/install-deps.sh build test lint
deps-clients:
	@scripts/install-deps.sh build test clients

build: deps-test ## the release build, binaries in build/release/bin
	cmake --preset release
	cmake --build --preset release -j $(JOBS)

demo: deps ## import a real shop's purchases, recommend, survive a kill -9; under 90 s
	@echo "building the server and the admin CLI (3 min on 2 cores the first time), then the demo (10 s)"
	@[ -e build/release/build.ninja ] || cmake --preset programs
	cmake --build build/release -j $(JOBS) --target reco-server reco-admin
	scripts/demo.sh

test: build ## unit, lint, install and end-to-end tests on the release build
	$(CTEST) --test-dir build/release -j $(JOBS) -LE 'crash|clients'

crash: build ## kill -9 under load and damaged folders; no acknowledged write may be missing
	$(CTEST) --test-dir build/release -L crash

soak: build ## the same for a quarter of an hour: 200 kills amid flushes, 400 damaged folders
	RECO_DAMAGE_SEED=0 RECO_DAMAGE_CASES=400 python3 tests/crash/test_damage.py
	RECO_CRASH_FLUSH_ROUNDS=200 python3 tests/crash/test_kill9.py \
		KillNine.test_amid_flushes_and_compactions

clients: deps-clients build ## a session from redis-cli, Python, Node, Go, Java and Rust
	$(CTEST) --test-dir build/release -j $(JOBS) -L clients

lint: deps-lint ## format, layers, docs, clang-tidy and clang's thread-safety analysis
	scripts/lint.sh

asan: deps-lint ## unit tests and fuzz replays under the address and undefined-behaviour sanitizers
	scripts/sanitize.sh asan

tsan: deps-lint ## tests of the threaded layers under the thread sanitizer
	scripts/sanitize.sh tsan

fuzz: deps-lint ## libFuzzer on every parser, FUZZ_SECONDS each
	scripts/fuzz.sh $(FUZZ_SECONDS)

bench: build ## the benchmarks, beside redis-server; AGAINST=PATH: beside another build's binaries
	scripts/benchmark.sh $(if $(AGAINST),--against "$(AGAINST)")

docs: build ## write doc/commands.md, doc/options.md and reco.conf from the code's tables
	tools/check_generated.py build/release/bin/reco-docs --fix

format: deps-lint ## clang-format on every source
	tools/check_format.py --fix

clean: ## remove build/
	rm -rf build
