# `make help` lists what can be done. Everything else is set up by what needs it.

ifndef PYTHON
PYTHON := $(shell sh tools/find_python.sh)
endif
BIN := .venv/bin
ARGS ?=
# Many containers set it. Here each part is a process of its own, which would compile all of itself at every start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

##@ Run

.PHONY: demo
demo: setup ## the whole product with people who do not exist; ARGS="--port 8123 --speed 60 --exit-after 120"
	@exec $(BIN)/varde demo $(ARGS)

.PHONY: setup
setup: python ## make .venv with all that running needs; leaves .venv/bin/varde
	@$(PYTHON) tools/prepare.py run

##@ Work on it

.PHONY: test
test: setup-all ## everything CI runs: check, then every test (ARGS="tests/vitals -k wire": only those, without check)
	@$(if $(strip $(ARGS)),,$(MAKE) --no-print-directory lint)
	@$(BIN)/python tools/run_tests.py $(ARGS)

.PHONY: check
check: setup-all lint ## lint, format and types

.PHONY: properties-deep
properties-deep: setup-all ## the heart's properties with 50,000 other worlds each, for hours (ARGS="-k snooze": only those)
	@VARDE_HYPOTHESIS=deep $(BIN)/python -m pytest -n 2 --dist worksteal tests/alerts -k test_properties $(ARGS)

.PHONY: simulate
simulate: setup-all ## the whole street in virtual time with all that goes wrong; SEEDS=10000 (FIRST=0), or one told: SEED=4711
	@$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),1000) --first $(or $(FIRST),0))

.PHONY: chaos
chaos: setup-all ## kill every part of the street, 20 seeds of 25,200 readings, and write docs/chaos.md; SEEDS=20 FIRST=1, again: FRESH=1
	@$(BIN)/python -m tests.chaos --seeds $(or $(SEEDS),20) --first $(or $(FIRST),1) $(if $(FRESH),--fresh)

.PHONY: format
format: setup-all ## put the code into the house's format
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .

.PHONY: lock
lock: ## resolve requirements/*.txt anew from pyproject.toml (needs uv on PATH)
	@tools/lock

.PHONY: benchmark
benchmark: setup-all ## write docs/benchmarks.md anew, about an hour (ARGS="memory page": only those, memory takes 20 minutes)
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: benchmark-rules
benchmark-rules: setup-all ## write docs/benchmarks-rules.md anew, some ten minutes; ARGS="--seeds 1 --out /tmp/try"
	@$(BIN)/python -m benchmarks.rules $(ARGS)

.PHONY: clean
clean: ## remove .venv, caches and fetched assets; demo data stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build server/web/static/vendor
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

##@ Help

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nAfterwards: .venv/bin/varde --help\n'

# Not for typing: what the above is made of.

.PHONY: python setup-all lint
python:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Varde needs Python 3.11 or newer; $(if $(PYTHON),$(PYTHON) is older,none found on PATH)." >&2; exit 1; }

setup-all: python
	@$(PYTHON) tools/prepare.py test

lint:
	@echo "check: ruff"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Not in the house's format: run 'make format'." >&2; exit 1; }
	@echo "check: mypy"
	@$(BIN)/mypy
