# Everything runs in a virtual environment of its own, .venv, which each target sets up as far as it needs.
# Nothing but Python >= 3.11 has to be there:  make PYTHON=python3.13 test

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
ARGS ?=
NAMES ?=
# How long `make fuzz` goes on, and which cases it draws.
SECONDS ?= 60
SEED ?= 1

# Two installations into one environment at once do not go well.
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

.PHONY: help handouts test fuzz mutants bench lint format clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

handouts: $(VENV)/.stamp-handout  ## Derive, prove and typeset the built-in handouts into output/
	$(BIN)/symderiv handout -o output/

test: $(VENV)/.stamp-test  ## Run the entire test suite (ARGS="-k name" to choose)
	$(BIN)/python -m pytest $(ARGS)

fuzz: $(VENV)/.stamp-test  ## Examine random derivatives (SECONDS=600 SEED=2, ARGS="--start 17 --cases 1")
	$(BIN)/python -m symderiv.testing.fuzz --seconds $(SECONDS) --seed $(SEED) $(ARGS)

mutants: $(VENV)/.stamp-test  ## Make every claim about families wrong in every place: only true ones may be proved
	$(BIN)/python -m pytest -m mutants tests/test_windows_opened.py $(ARGS)

bench: $(VENV)/.stamp-test $(VENV)/.stamp-bench  ## Time code and derivations, into output/benchmarks.md (NAMES="logistic gp" to choose)
	$(BIN)/python -m pytest tests/benchmarks --benchmark-only -o norecursedirs= $(ARGS)
	$(BIN)/python tests/benchmarks/report.py $(NAMES) --output output/benchmarks.md

lint: $(VENV)/.stamp-dev  ## Check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict symderiv

format: $(VENV)/.stamp-dev  ## Bring the code into the house's form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:  ## Remove .venv, caches, built packages and rendered pages
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis .benchmarks *.egg-info
	rm -f output/*.pdf output/*.html
	find symderiv templates tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up: one stamp for the environment, one for each set of extras ---

EXTRAS_handout := handout
EXTRAS_test := handout,test
EXTRAS_dev := dev

STAMPS := $(VENV)/.stamp-handout $(VENV)/.stamp-test $(VENV)/.stamp-dev

$(STAMPS): $(VENV)/.stamp-%: pyproject.toml $(VENV)/.stamp-venv
	$(PIP) install --editable '.[$(EXTRAS_$*)]'
	@touch $@

# JAX is not to be had everywhere: without it the benchmarks run all the same, and it is tried again next time.
$(VENV)/.stamp-bench: $(VENV)/.stamp-test
	@$(PIP) install --editable '.[bench]' && touch $@ || echo "JAX did not install: the benchmarks go without it"

# --clear: without its stamp, an environment is half made or somebody else's.
$(VENV)/.stamp-venv:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit("symderiv needs Python 3.11 or newer and $(PYTHON) is %d.%d: name a newer one, as in make PYTHON=python3.13" % v[:2] if v < (3, 11) else 0)'
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@
