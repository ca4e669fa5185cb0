# make serve   sets everything up and starts a server with a ready demo persona
# make test    sets everything up and runs all checks and tests
# Both are safe to repeat; what is done already is skipped.

SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
CLIENTS := .venv-clients/.installed
ARGS ?=
# Files with few but long tests must not come last.
PARALLEL := --dist loadfile --no-loadscope-reorder --numprocesses
# In which no test is quick; reading them takes seconds.
SLOW := tests/browser tests/chaos tests/unit/api/test_openapi.py
# Live calls, which need the machine for themselves; pages and transport without real engines do not.
LIVE := models and (browser or realtime)

# Where this is set, every process would compile every module anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help serve talk test lint quick bench web web-check web-compat setup setup-test models-test

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) ## Install system packages, Python packages and model files
	@$(BIN)/visavis models pull

setup-test:
	@scripts/system-packages.sh test
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=line models-test $(CLIENTS) web/node_modules/.package-lock.json

models-test: $(STAMP)
	@$(BIN)/visavis models pull moonshine-base-en moonshine-tiny-en silero-vad smart-turn-v3.2 smollm2-135m \
		face-detector face-landmarker person-mask hand-gestures object-detector

$(STAMP): requirements.lock pyproject.toml scripts/system-packages.sh
	@scripts/system-packages.sh serve
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "visavis needs Python 3.11 or newer; name one with make PYTHON=python3.12" >&2; exit 1; }
	@echo "Python packages: installing into .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# Other makers' programs, for tests/compat. Their dependencies must not meet ours.
$(CLIENTS): tests/compat/requirements.lock
	@echo "Clients for tests: installing into .venv-clients"
	@$(PYTHON) -m venv .venv-clients
	@.venv-clients/bin/python -m pip install --disable-pip-version-check --no-compile --require-hashes -r $<
	@touch $@

serve: setup ## Start a server and print the link of a call; ARGS="--port 8080" passes options
	@exec $(BIN)/visavis serve $(ARGS)

talk: setup ## Talk in the terminal; ARGS="--wav question.wav" speaks a file
	@exec $(BIN)/visavis talk $(ARGS)

lint: $(STAMP) ## Style and types
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy

quick: $(STAMP) ## Tests that need no model files and no live call
	@$(BIN)/python -m pytest $(PARALLEL) 3 $(SLOW:%=--ignore=%) -m "not models and not browser and not realtime and not slow"

web: web/node_modules/.package-lock.json ## Build the pages in web/ into src/visavis/web (needs Node 18 and npm)
	@cd web && npm run --silent types && npm run --silent build && npm run --silent install-built

web-check: web/node_modules/.package-lock.json ## Fail when the built pages do not match their sources
	@cd web && npm run --silent types && npm run --silent build && npm run --silent check-built

web-compat: web/compat/react/dist/index.html ## Build the React pages that tests open: ours and other makers'

web/compat/react/dist/index.html: web/node_modules/.package-lock.json web/compat/react/package-lock.json \
		web/compat/react/build.mjs $(wildcard web/packages/*/src/*)
	@cd web/compat/react && npm ci --silent && node build.mjs

web/node_modules/.package-lock.json: web/package-lock.json
	@cd web && npm ci --silent && touch node_modules/.package-lock.json

# What needs more than the interpreter waits half of the time: four at once on two cores. Live calls go one by one.
test: setup-test ## Everything: style, types, quick tests, then models and a real browser
	@$(MAKE) --no-print-directory --jobs=2 lint web-check web-compat
	@$(MAKE) --no-print-directory quick
	@$(BIN)/python -m pytest $(PARALLEL) 4 -m "(models or slow or browser or realtime) and not ($(LIVE))"
	@$(BIN)/python -m pytest tests/browser -m "$(LIVE)"

bench: setup ## Run benchmarks/NAME.py, for example make bench NAME=latency; QUICK=1 keeps it short
	@test -f "benchmarks/$(NAME).py" || { echo "NAME must be one of:" $$(cd benchmarks && ls *.py | grep -v '^_' | sed 's/\.py//'); exit 1; }
	@scripts/system-packages.sh test
	@QUICK=$(QUICK) $(BIN)/python -m benchmarks.$(NAME)
