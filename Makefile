# make run and make test are all that a fresh machine needs (Python 3.11 and make).
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM ?= false
export HF_HUB_DISABLE_TELEMETRY := 1
# pip compiles nothing here, so that each module is compiled once, at its first import. Where nothing may be written, each
# of the processes that an experiment starts would compile all of torch and transformers again: 13 s instead of 5.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install run test fast-tests test-full check lint types imports browser bench bench-peers docs clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[dev,hub,gguf,lora,plot,vectors,corpora,judge,serve,sweep,tensorboard,tagger]'
	@touch $@

install: $(VENV)/installed ## the virtual environment in .venv

run: install ## the counting experiment, quick preset: a verdict and a report
	$(BIN)/shoal run counting

# The folders of the project and no more: what a person puts beside them, a script or a run, is theirs.
SOURCES := src tests benchmarks examples recipes

lint: install
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports

check: lint types imports ## style, types and the floors of the house

browser: ## headless Chromium for the tests of the report (Debian)
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium >/dev/null; }

# Side by side: types are checked on one core, so that they would hold up the tests for a minute on each machine of two.
test: install browser ## everything that a change must pass
	$(MAKE) --no-print-directory -j 2 check fast-tests

fast-tests:
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow"

test-full: check browser ## the slow tests too
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[onnx]'
	$(BIN)/pytest -n 2 --dist loadfile

bench: install ## shoal beside its peers: tables and JSON in bench-out/
	$(BIN)/python -m benchmarks

bench-peers: install ## install the peers that the benchmarks compare with, in .venv-peers
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -r benchmarks/peers.txt -e .

docs: install ## the documentation as HTML in build/docs
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[docs]'
	$(BIN)/mkdocs build --strict

clean: ## remove what was built
	rm -rf build dist bench-out .mypy_cache .ruff_cache .pytest_cache
