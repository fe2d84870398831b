# The whole project in four commands: demo, test, lint, docs.
# A stamp file says which dependencies .venv holds, so a second run starts at once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTEST_ARGS ?=
WORKERS ?= --numprocesses=logical --maxprocesses=4 --dist=loadfile
TYPESCRIPT := typescript@5.9.3

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs links site clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: $(VENV)/stamp-base  ## segment a real image from a few strokes, into demo/
	$(BIN)/stroma demo --out demo --overwrite

test: $(VENV)/stamp-test  ## run the whole test suite; gets browsers and Xvfb where it can
	@.ci/needs browser display
	@.ci/needs firefox
	$(BIN)/python -m pytest $(WORKERS) $(PYTEST_ARGS)

lint: $(VENV)/stamp-test  ## ruff, mypy, import-linter, tsc, and whether the reference pages are current
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if command -v npx >/dev/null; then \
	  npx --yes --package $(TYPESCRIPT) tsc --project src/stroma/web/jsconfig.json; \
	else \
	  echo "No npx here: the types of the page are not checked. Install nodejs and npm for that."; \
	fi
	$(BIN)/python docs/build_reference.py --check

docs: $(VENV)/stamp-test  ## write docs/reference from the docstrings
	$(BIN)/python docs/build_reference.py

links:  ## ask for every address outside that the pages link to (needs a network)
	$(PYTHON) docs/check_links.py

site: $(VENV)/stamp-site  ## build the documentation as pages with search, into build/site
	$(BIN)/mkdocs build --strict

clean:  ## remove .venv, demo/ and what the tools cache
	rm -rf $(VENV) demo build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Stroma needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) -V)." \
	         "Name another: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/stamp-base: pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --editable .
	@touch $@

$(VENV)/stamp-site: pyproject.toml | $(BIN)/python
	$(PIP) install --quiet 'mkdocs-material>=9.5'
	@touch $@

$(VENV)/stamp-test: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet --constraint constraints.txt --editable '.[all,test]'
	@touch $@ $(VENV)/stamp-base
