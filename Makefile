# Everything happens in .venv; `make install` is implied by all other targets.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install run demo docs test lint check

install: .venv/installed

.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[embedded,test,check]'
	@touch $@

run: install  ## serve the game at http://localhost:8000 on the embedded store, with bots
	@$(BIN)/fair-bingo dev

demo: install  ## one fast game between bots, in the terminal
	@$(BIN)/fair-bingo demo

docs: install  ## the documents in protocol/, written anew from its models
	$(BIN)/python -m protocol.documents

# Four at a time, since most of them wait; a file's tests stay together.
test: install
	$(BIN)/pytest -n 4 --dist loadfile

lint: install  ## all checks but the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

check: lint test
