# Everything is installed into this folder (.venv, .tools); uv is brought if it is missing.
.DEFAULT_GOAL := help
SHELL := /bin/bash
UV = $(shell scripts/get-uv)
BIN := .venv/bin
PYTEST_ARGS ?=
export PATH := $(CURDIR)/.tools/bin:$(PATH)

.PHONY: help demo up install install-dev test unit lint web web-check docs bench test-compose lock clean

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: install web ## A real task from a signed webhook to a commit, with the scripted model (ONCE=1: exit when done)
	@$(BIN)/journeyman up --demo $(if $(ONCE),--once --port 0) $(ARGS)

up: install web ## All services for real use on this machine (reads .env)
	@$(BIN)/journeyman up $(ARGS)

install: .venv/.runtime ## Set up .venv

install-dev: .venv/.dev


test: install-dev web-check lint unit ## Lint, types, import rules, the dashboard and every test

unit: install-dev web
	$(BIN)/pytest -n 2 --dist loadgroup -m "not compose" $(PYTEST_ARGS)

lint: install-dev ## Style, types and import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

web: ## Build the dashboard if its sources have changed
	@UV=$(UV) scripts/build-web

web-check: ## Check and test the dashboard's sources, and build it
	@UV=$(UV) scripts/build-web --check

docs: install-dev ## Generate docs/events.md and docs/asyncapi.json, and freeze new event schemas
	$(BIN)/python -m shared.docs

bench: install-dev web ## Run the benchmarks; writes bench/report.md and bench/report.json
	$(BIN)/python -m bench

test-compose: install-dev ## Build the image and scale the services in containers
	deploy/engine.sh start
	eval "$$(deploy/engine.sh env)" && deploy/offline-images.sh && $(BIN)/pytest -m compose tests/compose $(PYTEST_ARGS)

lock: ## Resolve the pinned dependencies anew
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	  pyproject.toml -o requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	  --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock

clean: ## Remove what was installed and built, not your data
	rm -rf .venv .tools web/node_modules services/gateway/static

.venv/bin/python:
	$(UV) venv --quiet --python '>=3.11' .venv

# The tests' packages include those of the runtime: where they are installed, they stay.
.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/python
	@if [ -e .venv/.dev ]; then $(MAKE) --no-print-directory install-dev; else \
	  $(UV) pip sync --quiet --python .venv --require-hashes requirements.lock && \
	  $(UV) pip install --quiet --python .venv --no-deps --editable .; fi
	@touch $@

.venv/.dev: requirements-dev.lock pyproject.toml | .venv/bin/python
	$(UV) pip sync --quiet --python .venv --require-hashes requirements-dev.lock
	$(UV) pip install --quiet --python .venv --no-deps --editable .
	@touch $@ .venv/.runtime
