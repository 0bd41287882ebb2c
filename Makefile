# Everything a person or CI does with this project. Needs Python 3.11 or newer with venv, git and make; nothing else.
PYTHON ?= python3
BIN := .venv/bin
# Two -q leave only errors; the lines that start with "Installing" tell how far it is. PIP_* is the caller's business.
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run quick test fuzz setup check format lock audit sbom bench clean

help: ## List these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

run: setup ## Run everything on this machine, at http://127.0.0.1:8000
	@$(BIN)/python app.py

test: .venv/.ready-dev ## Check and test everything
	@# Packages are fetched while the sources are checked: the one waits for the network, the other for the processor.
	@tools/test-services & services=$$!; $(MAKE) --no-print-directory check; checked=$$?; wait $$services && exit $$checked
	$(BIN)/pytest -n 3 --dist worksteal -q

# The inner loop. Unit tests: rules, texts, cryptography, mails and services on SQLite, in this process alone. What needs
# a program that pip does not install, or ours as processes, is marked `machine` (tests/plugin.py) and left to `make test`,
# as are pages and commands.
UNIT := tests/crypto tests/text tests/media tests/mail tests/services $(wildcard tests/test_*.py)
quick: .venv/.ready-dev ## Check everything and run the unit tests, in a minute or so
	@said=$$(mktemp); $(MAKE) --no-print-directory check >$$said 2>&1 & checks=$$!; \
	$(BIN)/pytest -n 2 --dist worksteal -q -m "not machine" $(UNIT); tested=$$?; \
	wait $$checks; checked=$$?; cat $$said; rm -f $$said; exit $$((tested || checked))

# Other cases each night; a failure prints the one that fails. The tests try some hundreds, always the same ones.
CASES ?= 10000
fuzz: .venv/.ready-dev ## Hostile input, 10,000 cases for each place where something comes in (hours)
	FUZZ_CASES=$(CASES) $(BIN)/pytest -n 2 -q tests/fuzz

setup: .venv/.ready-runtime ## Prepare .venv; .venv/bin/campaign is then the command
	@:

check: .venv/.ready-dev ## Lint, formatting, types, import rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.ready-dev ## Format the code and repair what can be repaired
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

# UPGRADE=--upgrade takes newer versions; without it only what pyproject.toml asks for changes.
lock: ## Pin every dependency again, with hashes
	@set -e; room=$$(mktemp -d); trap 'rm -rf "$$room"' EXIT; \
	echo "Installing uv (only to pin) …"; \
	$(PYTHON) -m venv "$$room"; \
	"$$room/bin/python" -m pip install -qq --disable-pip-version-check uv; \
	pin() { UV_PYTHON_DOWNLOADS=never "$$room/bin/uv" pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header $(UPGRADE) "$$@"; }; \
	pin --group build -o requirements-build.txt; \
	pin pyproject.toml -o requirements.txt; \
	pin --group dev -c requirements.txt -o requirements-dev.txt

# SERVICE="-s osv" asks another service. Not a part of `make test`, which needs no network.
audit: .venv/.ready-dev ## Look every pinned dependency up among the known vulnerabilities
	@$(BIN)/python tools/audit-dependencies $(SERVICE)

sbom: .venv/.ready-dev ## Write what the program runs with (CycloneDX) to build/sbom.json
	@$(BIN)/python tools/make-sbom build/sbom.json

bench: .venv/.ready-dev ## Run the benchmarks
	@$(BIN)/python -m bench

# var/ stays: it holds data.
clean: ## Remove .venv and caches
	rm -rf .venv .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: a second call has nothing to do until one of these files changes.
.venv/.ready-runtime: requirements-build.txt requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is not. Try: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv is missing. On Debian, as root: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing .venv …"
	@$(PYTHON) -m venv .venv
	@echo "Installing the dependencies (requirements.txt) …"
	@$(PIP) --require-hashes -r requirements-build.txt
	@$(PIP) --require-hashes --no-build-isolation -r requirements.txt
	@echo "Installing the command campaign …"
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.ready-dev: .venv/.ready-runtime requirements-dev.txt
	@echo "Installing the tools for development (requirements-dev.txt) …"
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@
