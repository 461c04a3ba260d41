# SmartMarket's commands; `make` alone lists them. Needs Python 3.11 or newer and make, nothing else.
#
# Everything in the environment reaches the program: PORT, SMARTMARKET_DATA_DIR, DATABASE_URL, ... (see .env.example).
# They may follow the target too: make run PORT=8001 SMARTMARKET_DATA_DIR=/tmp/shop

# Modules are compiled once, not again by every process: some systems set this variable, and tests start many processes.
export PYTHONDONTWRITEBYTECODE =

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
ARGS ?=

# If python3 is too old, a newer one on the PATH is used; an explicit PYTHON is used or refused.
CANDIDATES = $(PYTHON) $(if $(filter file,$(origin PYTHON)),python3.13 python3.12 python3.11)
# An existing .venv is kept until another PYTHON is requested.
DEPENDENCIES = $(or $(if $(filter file,$(origin PYTHON)),$(firstword $(wildcard $(VENV)/.dependencies-*))),$(STAMP))
STAMP = $(VENV)/.dependencies-$(subst /,_,$(PYTHON))
INSTALLED = $(VENV)/.installed
# Only what is imported is compiled, when it is: most modules of the dependencies never are.
PIP_INSTALL = $(BIN)/python -m pip install -qq --no-input --no-compile --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help install run test coverage test-services test-browser test-types types web lint format mutants bench faults wheel lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile
	@echo 'Arguments: ARGS="-k upload" for pytest and bench, WORKERS=0, PYTHON=python3.12, PORT=8001, SMARTMARKET_DATA_DIR=/tmp/shop'

install: $(INSTALLED) ## Install into .venv (the other targets do it when needed)

run: $(INSTALLED) ## Start everything on this machine: database, queue, API, workers. Ctrl-C stops it
	@exec $(BIN)/smartmarket up

# Workers of pytest: one more than cores, each with a running application of its own; all share the servers. 0 is none.
WORKERS ?= logical
PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 4 --dist worksteal

test: $(INSTALLED) ## Run all tests; needs no services, uses DATABASE_URL, REDIS_URL, BROKER_URL where set
	@$(PYTEST) $(ARGS)

coverage: $(INSTALLED) ## Run all tests and show what none of them reaches; takes several times as long
	@$(PYTEST) --cov --timeout 600 $(ARGS)

# What depends on the server and its version: the log, jobs and wake-ups, killed processes, advisory locks and NOTIFY,
# every statement of projectors and queries, limits counted in Redis, roles and row security, and one shop's journey.
# The rest of the suite would show again what `make test` has shown; the other faults are those of processes and of the
# embedded servers.
ON_SERVICES = tests/log tests/policies $(FAULTS_ON_SERVICES) tests/projectors/test_every_projection.py \
	tests/projectors/test_followers.py $(wildcard tests/contracts/test_read_*.py) tests/contracts/test_http_limits.py \
	tests/journeys/test_read_isolation.py tests/journeys/test_story.py
FAULTS_ON_SERVICES = $(addprefix tests/faults/test_,kills.py api_processes.py forecast_runs.py)

# A server with default settings takes 100 connections, which are enough for two workers.
test-services: $(INSTALLED) ## Run what depends on servers against those of the environment, or the standard local ports
	@DATABASE_URL="$${DATABASE_URL:-postgresql://postgres@127.0.0.1:5432/postgres}" \
	REDIS_URL="$${REDIS_URL:-redis://127.0.0.1:6379/0}" \
	BROKER_URL="$${BROKER_URL:-amqp://guest:guest@127.0.0.1:5672//}" \
	$(PYTEST) --maxprocesses 2 $(or $(ARGS),$(ON_SERVICES))

test-browser: $(INSTALLED) web/node_modules ## Run both front ends in Chromium against a running system; needs node and Chromium
	@BROWSER_TESTS=1 $(BIN)/python -m pytest tests/browser/test_stories.py $(ARGS)

test-types: $(INSTALLED) web/node_modules ## Check the generated types, and a TypeScript client on the seed's whole story; needs node
	@TYPE_TESTS=1 $(BIN)/python -m pytest tests/browser/test_types.py $(ARGS)

types: $(INSTALLED) web/node_modules ## Generate the front ends' types from the OpenAPI document; needs node
	@$(BIN)/python -m tests.support.openapi_document | (cd web && node types.mjs)

web: web/node_modules ## Build the front ends into read_side/web/static; needs node, and only after changes in web/
	@cd web && npm run --silent build

web/node_modules: web/package-lock.json
	@cd web && npm ci --no-audit --no-fund --silent
	@touch '$@'

lint: $(INSTALLED) ## Check style, types and the walls between modules
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: $(INSTALLED) ## Write the style that lint checks
	@$(BIN)/ruff check --fix --exit-zero
	@$(BIN)/ruff format

mutants: $(INSTALLED) ## Put small faults into decisions, rules and projectors and count those that tests notice
	@$(BIN)/python -m tests.support.mutants $(ARGS)

bench: $(INSTALLED) ## Measure against baselines; prints a table and writes JSON
	@$(BIN)/python -m bench $(ARGS)

faults: $(INSTALLED) ## Kill processes 200 times during uploads and count what was lost (must be nothing)
	@SMARTMARKET_FAULT_KILLS="$${SMARTMARKET_FAULT_KILLS:-200}" $(BIN)/python -m pytest --timeout 3600 -rP tests/faults $(ARGS)

wheel: $(INSTALLED) ## Build the wheel into dist/; the same source gives the same bytes
	@$(BIN)/python -m tests.support.wheel $(ARGS)

lock: $(INSTALLED) ## Write requirements.lock from pyproject.toml; UPGRADE=1 takes the newest of everything
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes --no-annotate --no-strip-extras \
		--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
		$(if $(UPGRADE),--upgrade) --output-file requirements.lock pyproject.toml

clean: ## Remove what make wrote; the data of `make run` stays
	@rm -rf $(VENV) build dist *.egg-info htmlcov .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(DEPENDENCIES): requirements.lock
	@python=; for candidate in $(CANDIDATES); do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
		then python=$$candidate; break; fi; done; \
	if [ -z "$$python" ]; then \
		echo "SmartMarket needs Python 3.11 or newer; $(PYTHON) is: $$("$(PYTHON)" --version 2>&1)." >&2; \
		echo 'Install one, or name the one you have: make PYTHON=/path/to/python3.12 ...' >&2; exit 1; fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python cannot make virtual environments: its modules venv and ensurepip are a package of their own here" >&2; \
		echo '(on Debian and Ubuntu: apt install python3-venv). Install it, or name another: make PYTHON=... ' >&2; exit 1; fi; \
	printf 'Installing into %s (%s, once, about a minute) ... ' '$(VENV)' "$$("$$python" --version)"; \
	"$$python" -m venv --clear '$(VENV)' && $(PIP_INSTALL) --require-hashes -r requirements.lock && touch '$(STAMP)' && echo done

$(INSTALLED): pyproject.toml $(DEPENDENCIES)
	@$(PIP_INSTALL) --no-index --no-deps --no-build-isolation --editable .
	@touch '$@'
