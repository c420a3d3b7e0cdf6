# Everything is installed into this folder (.venv, .tools); uv is brought if it is missing.
.DEFAULT_GOAL := help
SHELL := /bin/bash
UV = $(shell scripts/get-uv)
BIN := .venv/bin
PYTEST ?= $(BIN)/pytest
PYTEST_ARGS ?=
export PATH := $(CURDIR)/.tools/bin:$(PATH)
# Many short processes run the same modules: what the first one has compiled is kept.
unexport PYTHONDONTWRITEBYTECODE

# What starts, kills, freezes and starts again the NATS server of a test, and looks at its files.
NATS_TESTS := tests/contract tests/integration/test_a_nats_server_of_a_test_comes_back.py \
  $(addprefix tests/fault/log/,test_nats_may_die_and_lie.py test_one_flipped_bit_is_noticed.py)

.PHONY: help demo up install install-dev test unit lint web web-check emulators docs api-types bench chaos soak test-faults test-compose lock clean

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: install web ## A real task from a signed webhook to a commit, with the scripted model (ONCE=1: exit when done; GITHUB=1: as a team on GitHub sees it)
	@$(if $(GITHUB),$(BIN)/python -m testing.github_demo $(if $(ONCE),--once),$(BIN)/journeyman up --demo $(if $(ONCE),--once --port 0) $(ARGS))

up: install web ## All services for real use on this machine (reads .env)
	@$(BIN)/journeyman up $(ARGS)

install: .venv/.runtime ## Set up .venv

install-dev: .venv/.dev


# The tests wait for much of their time; the checks take what they leave. The dashboard is built before: tests open it.
test: install-dev web ## Lint, types, import rules, the dashboard and every test but campaigns and containers
	@scripts/beside "$(MAKE) --no-print-directory unit" "$(MAKE) --no-print-directory lint" \
	  "$(MAKE) --no-print-directory web-check"

# Five at a time also on two processors: the tests wait for much of their time, for timeouts and for each other.
unit: install-dev web
	$(PYTEST) -n 5 --dist loadgroup -m "not compose and not campaign" $(PYTEST_ARGS)

test-faults: install-dev web emulators ## Campaigns of faults: every crash point, kills, upgrades, random faults (SIZE=small: as on every push)
	$(PYTEST) -n 4 --dist loadgroup -m campaign --campaign-size $(or $(SIZE),full) $(PYTEST_ARGS)

emulators: ## Install the emulators of GitHub that test-faults asks for a second opinion
	@UV="$(UV)" scripts/build-web --emulators || echo "without the emulators of GitHub their tests are skipped" >&2

lint: install-dev ## Style, types, import rules, and whether generated files are current
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -W ignore -m services.gateway.document --check

web: ## Build the dashboard if its sources have changed
	@UV="$(UV)" scripts/build-web

web-check: ## Check and test the dashboard's sources
	@UV="$(UV)" scripts/build-web --check

api-types: install-dev ## Generate the dashboard's types from the OpenAPI document and the messages of /ws
	$(BIN)/python -W ignore -m services.gateway.document
	@UV="$(UV)" scripts/build-web --types

docs: install-dev ## Generate docs/events.md, docs/webhooks.md, docs/journeyman-toml.md, .env.example and a part of compose.yaml, and freeze new event schemas
	$(BIN)/python -m shared.contracts.docs
	$(BIN)/python -m shared.ops.settings_files
	$(BIN)/python -m shared.ops.config_page
	$(BIN)/python -W ignore -m services.gateway.webhooks_page

bench: install-dev web ## Run the benchmarks; writes bench/report.md and bench/report.json
	$(BIN)/python -m bench

chaos: install-dev web ## Random faults against a whole system for MINUTES=5 (SEED=, AGENT=noop|claude); adds to bench/reliability.md
	$(BIN)/python -m bench.chaos --minutes $(or $(MINUTES),5) --agent $(or $(AGENT),noop) \
	  $(if $(SEED),--seed $(SEED)) $(ARGS)

soak: install-dev web ## The same for HOURS=24, with a task a second
	$(BIN)/python -m bench.chaos --hours $(or $(HOURS),24) --per-second 1 --agent $(or $(AGENT),noop) \
	  $(if $(SEED),--seed $(SEED)) $(ARGS)

test-compose: install-dev ## Build the image and scale the services in containers; NATS of other tests in a container
	deploy/engine.sh start
	eval "$$(deploy/engine.sh env)" && deploy/offline-images.sh && \
	  JOURNEYMAN_TEST_NATS=container $(PYTEST) -n 2 $(NATS_TESTS) && \
	  $(PYTEST) -m compose tests/compose $(PYTEST_ARGS)

lock: ## Resolve the pinned dependencies anew
	"$(UV)" pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	  pyproject.toml -o requirements.lock
	"$(UV)" pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	  --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock

clean: ## Remove what was installed and built, not your data
	rm -rf .venv .tools web/node_modules tests/emulators/node_modules services/gateway/static

.venv/bin/python:
	"$(UV)" venv --quiet --python '>=3.11' .venv

# The tests' packages include those of the runtime: where they are installed, they stay.
.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/python
	@if [ -e .venv/.dev ]; then $(MAKE) --no-print-directory install-dev; else \
	  "$(UV)" pip sync --quiet --python .venv --require-hashes requirements.lock && \
	  "$(UV)" pip install --quiet --python .venv --no-deps --editable .; fi
	@touch $@

.venv/.dev: requirements-dev.lock pyproject.toml | .venv/bin/python
	"$(UV)" pip sync --quiet --python .venv --require-hashes requirements-dev.lock
	"$(UV)" pip install --quiet --python .venv --no-deps --editable .
	@touch $@ .venv/.runtime
