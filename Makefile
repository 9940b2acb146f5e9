# Two commands: `make up` runs Bellwether, `make test` proves it. Both set up whatever they need first.
# Needs: python3 (3.11 or newer), make, git. Everything else goes into .venv and .uv beside this file.

PYTHON ?= python3
STATE  ?= state
FEED   ?= demo
TORCH  ?=
ARGS   ?=

VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
BACKEND := $(if $(TORCH),--torch-backend=$(TORCH),)

.PHONY: help setup up test bench lint lock browser clean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.installed ## install everything into .venv (quick the second time)

.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Bellwether needs Python 3.11 or newer; '$(PYTHON)' is older. Name another one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv .uv || { echo "python3 has no venv module; install it (Debian: apt-get install python3-venv)"; exit 1; }
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.installed: requirements.lock pyproject.toml $(filter .uv/bin/uv,$(UV))
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python $(BACKEND) -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

up: setup ## crawl, classify, judge and show; FEED=demo|none|path, STATE=folder, TORCH=cpu
	@$(BIN)/bellwether up --feed "$(FEED)" --state "$(STATE)" $(ARGS)

browser: setup
	@$(BIN)/python tests/install_browser.py

lint: setup ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

test: setup lint browser ## every check and every test (under ten minutes on two cores)
	@$(BIN)/python -m pytest $(ARGS)

bench: setup ## print the figures of benchmarks/
	@$(BIN)/python -m benchmarks

lock: setup ## compile requirements.lock anew, without any index address in it
	@$(BIN)/python tools/compile_lock.py

clean: ## remove what setup made (not the state folder)
	rm -rf $(VENV) .uv build .mypy_cache .ruff_cache .pytest_cache .hypothesis
