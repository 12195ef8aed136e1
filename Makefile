# Everything here sets itself up: `make test` and `make demo` need Python 3.11 or newer, pip and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# those that need neither a set to be named nor hours
BENCHMARKS := features decode spectrograms augment training shuffled_labels near_duplicates
# Two workers share the cores: more threads in each would only get in each other's way.
SINGLE_THREADED := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
# Without stored bytecode each worker, and each process that the tests start, would compile all files again.
PYTEST = $(SINGLE_THREADED) PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
WORKERS ?= 2
DEMO ?= demo
# figures of `make bench-all`; PEER=peer/bin/python adds OpenSoundscape
SPEEDS ?= build/speeds

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test slow lint format docs dist bench bench-all audit clean

help: ## what there is to make
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 10

setup: $(READY) ## the virtual environment, with .venv/bin/aurist in it

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "aurist needs Python 3.11 or newer and '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." \
	         "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	    echo "'$(PYTHON)' cannot make virtual environments (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@echo 'Setting up $(VENV): some minutes and some 7 GB, once.'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,all]'
	@touch $@

demo: $(READY) ## make music, check it, fit, print the leaderboard, predict unseen tracks
	$(BIN)/aurist demo -o $(DEMO)

test: lint ## linters, types, layers, then the tests
	$(PYTEST)

slow: $(READY) ## the slow tests, which `make test` leaves out
	$(PYTEST) -m slow

lint: $(READY) ## ruff, mypy and the layers contract
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## put the code in order
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(READY) ## the documentation, in site/
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt '.[docs]'
	$(BIN)/mkdocs build --strict

dist: $(READY) ## the wheel and the sdist, in dist/, tried in a fresh environment
	rm -rf dist build
	$(BIN)/python -m build --outdir dist
	$(PYTHON) -m venv build/fresh
	build/fresh/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt dist/*.whl
	cd build && fresh/bin/aurist --help

bench: $(READY) ## the short benchmarks, one after another; benchmarks/README.md has the commands of all
	@for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python benchmarks/$$name.py || exit 1; done

bench-all: $(READY) ## one table of all speeds, beside other tools; goes on if it was interrupted
	$(BIN)/python benchmarks/speeds.py --output $(SPEEDS) $(if $(PEER),--peer $(PEER))

audit: ## known weaknesses of the pinned versions (pip-audit, in an environment of its own)
	$(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	build/audit/bin/pip-audit --progress-spinner off --no-deps --disable-pip -r constraints.txt

clean: ## remove what was made, the virtual environment too
	rm -rf $(VENV) $(DEMO) build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
