# Everything runs in a virtual environment of its own, .venv, which each target sets up as far as it needs.
# Nothing but Python >= 3.11 has to be there:  make PYTHON=python3.13 test

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
ARGS ?=
NAMES ?=
PAGE := symderiv/web/page
# How long `make fuzz` goes on, and which cases it draws.
SECONDS ?= 60
SEED ?= 1
# How many texts `make fuzz-text` reads.
CASES ?= 100000

# Two installations into one environment at once do not go well.
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

.PHONY: help handouts test fuzz fuzz-text mutants mutants-rules certificates tutorial load page web-test bench lint format clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

handouts: $(VENV)/.stamp-handout  ## Derive, prove and typeset the built-in handouts into output/, with the guide
	$(BIN)/symderiv docs -o output/
	$(BIN)/symderiv handout -o output/

test: $(VENV)/.stamp-test  ## Run the entire test suite (ARGS="-k name" to choose)
	$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

fuzz: $(VENV)/.stamp-test  ## Examine random derivatives (SECONDS=600 SEED=2, ARGS="--start 17 --cases 1")
	$(BIN)/python -m symderiv.testing.fuzz --seconds $(SECONDS) --seed $(SEED) $(ARGS)

fuzz-text: $(VENV)/.stamp-test  ## Read random texts: nothing may come of them but an error that can be shown (CASES=1000000 SEED=2)
	$(BIN)/python -m symderiv.testing.fuzz_text --cases $(CASES) --seed $(SEED) $(ARGS)

mutants: $(VENV)/.stamp-test  ## Make claims about families and 2,000 proofs wrong: only what stays true may be proved
	$(BIN)/python -m pytest -m mutants tests/test_windows_opened.py tests/test_check_families.py tests/test_check_mutants.py $(ARGS)

mutants-rules: $(VENV)/.stamp-test  ## Make slips in the rules and the normal form: some test has to notice each
	$(BIN)/python tests/mutate_rules.py $(ARGS)

certificates: $(VENV)/.stamp-test  ## Have Coq check proofs, and reject damaged ones; says what to install where there is no Coq
	$(BIN)/python tests/certificates.py $(ARGS)

tutorial: $(VENV)/.stamp-test  ## Run the tutorial notebook and keep what its cells show
	$(BIN)/python tests/notebooks.py

load: $(VENV)/.stamp-test  ## A thousand derivatives in one process, in threads, in processes; handout runs interrupted
	$(BIN)/python tests/load.py
	$(BIN)/python tests/interrupted.py

page: $(PAGE)/node_modules/.package-lock.json  ## Build the files of the page from their sources (needs Node; its users do not)
	cd $(PAGE) && npm run --silent check && npm run --silent build

web-test: $(VENV)/.stamp-web $(PAGE)/node_modules/.package-lock.json  ## Visit the page in a real browser, served and static (SCREENSHOTS=folder)
	PYTHON=$(abspath $(BIN))/python node --test tests/browser/

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
	rm -f output/*.pdf output/*.html output/.symderiv.json
	find symderiv templates tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up: one stamp for the environment, one for each set of extras ---

EXTRAS_handout := handout,watch
EXTRAS_test := handout,test
EXTRAS_dev := dev
EXTRAS_web := web,test

STAMPS := $(VENV)/.stamp-handout $(VENV)/.stamp-test $(VENV)/.stamp-dev $(VENV)/.stamp-web

$(STAMPS): $(VENV)/.stamp-%: pyproject.toml $(VENV)/.stamp-venv
	$(PIP) install --editable '.[$(EXTRAS_$*)]'
	@touch $@

# JAX is not to be had everywhere: without it the benchmarks run all the same, and it is tried again next time.
$(VENV)/.stamp-bench: $(VENV)/.stamp-test
	@$(PIP) install --editable '.[bench]' && touch $@ || echo "JAX did not install: the benchmarks go without it"

$(PAGE)/node_modules/.package-lock.json: $(PAGE)/package-lock.json
	cd $(PAGE) && npm ci --no-audit --no-fund
	@touch $@

# --clear: without its stamp, an environment is half made or somebody else's.
$(VENV)/.stamp-venv:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit("symderiv needs Python 3.11 or newer and $(PYTHON) is %d.%d: name a newer one, as in make PYTHON=python3.13" % v[:2] if v < (3, 11) else 0)'
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@
