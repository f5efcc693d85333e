# Everything here works from a bare checkout: Python 3.11 or newer and make are all it needs. `make help` lists the targets.

.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
STAMP := .venv/installed
# One more than there are processors: tests wait a fifth of their time for pages, mail servers and new processes.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# Every commit of a test waits for its disk, so tests live in memory where there is enough of it.
ROOMY = [ -w /dev/shm ] && [ "$$(df -Pk /dev/shm | awk 'END { print $$4 }')" -gt 2000000 ]
# What was compiled is kept for the next run and for the processes that tests start, whatever the environment says.
PYTEST = PYTHONDONTWRITEBYTECODE= TMPDIR="$${TMPDIR:-$$($(ROOMY) && echo /dev/shm || echo /tmp)}" $(BIN)/python -m pytest -n $(JOBS)

.PHONY: help run demo test test-all check bench bench-all lock setup browser

help: ## list every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: setup ## set up, migrate, start web and worker, print the address; Ctrl-C stops it
	@exec $(BIN)/bugintake serve

demo: setup ## the same on a throw-away data folder with the sample company in it
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && trap : INT TERM && \
	export BUGINTAKE_DATA="$$data" && $(BIN)/bugintake demo && $(BIN)/bugintake serve

test: setup browser ## the fast tests on SQLite and PostgreSQL and in a browser (BROWSER=none leaves that out)
	@$(PYTEST)

test-all: setup browser ## the same and the long ones: kill rounds, soak, large data
	@$(PYTEST) --long

check: setup ## what CI runs: format, lint, types, import contracts, templates, tests
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted as ruff does: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo >.venv/imports.log 2>&1 || { cat .venv/imports.log; exit 1; }
	@$(BIN)/djlint --lint --quiet --profile=jinja --ignore=H006,H015,H020,H030,H031,H043,J018 templates
	@$(MAKE) --no-print-directory test

bench: setup ## the benchmarks, as ratios against limits measured in the same run
	@$(BIN)/python -m bench

bench-all: setup ## the same at 10,000, 100,000 and 1,000,000 bugs, and how cost grows: two hours
	@BENCH_N=10000,100000,1000000 $(BIN)/python -m bench

lock: setup ## resolve the dependencies of setup.cfg anew into requirements.lock
	@$(BIN)/uv pip compile setup.cfg --all-extras --universal --python-version 3.11 --generate-hashes --upgrade \
		--custom-compile-command "make lock" --quiet -o requirements.lock

# The environment is complete when the stamp says the same as the files it was made from.
setup:
	@cat requirements.lock setup.cfg pyproject.toml | cmp -s - $(STAMP) || $(MAKE) --no-print-directory $(STAMP)

.PHONY: $(STAMP)
$(STAMP):
	@[ -x $(BIN)/python ] && $(BIN)/python -m pip --version >/dev/null 2>&1 || { $(find-python) && $(make-venv); }
	@echo "Installing what requirements.lock names into .venv ..."
	@awk '/^[^ #]/ { wanted = /^uv==/ } wanted' requirements.lock >.venv/uv.lock
	@quiet="--quiet --disable-pip-version-check"; \
	$(BIN)/python -m pip install $$quiet --require-hashes -r .venv/uv.lock 2>.venv/uv.log && \
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock \
		2>>.venv/uv.log || \
	$(BIN)/python -m pip install $$quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q bugintake migrations # so that the first start is no slower than the others
	@cat requirements.lock setup.cfg pyproject.toml >$(STAMP)

browser:
	@$(BIN)/python -m tests.browsers

define find-python
	for python in "$${PYTHON:-python3}" python3.13 python3.12 python3.11 python3.14 python; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; python=; \
	done; \
	[ -n "$$python" ] || { echo "bugintake needs Python 3.11 or newer; PYTHON=/path/to/python3.12 make ... names one." >&2; exit 1; }
endef

# Debian and Ubuntu ship Python without the part that makes environments.
define make-venv
	echo "Making .venv with $$($$python --version) ..." && rm -rf .venv && \
	{ $$python -m venv .venv >/dev/null 2>&1 || { rm -rf .venv; \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
		version=$$($$python -c 'import sys; print("python%d.%d" % sys.version_info[:2])') && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$version-venv >/dev/null && \
		$$python -m venv .venv; } || \
	{ rm -rf .venv; echo "This Python cannot make environments. Install its venv module (Debian: apt install python3-venv) and run make again." >&2; exit 1; }; }
endef
