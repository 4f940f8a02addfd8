# Everything runs in .venv, which is made when it is first needed and again when the requirements change.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
PYTEST := $(BIN)/python -m pytest
# What has to be true in a process that is not cooperative, and without any concurrency, as well.
EVERYWHERE := tests/unit/base tests/unit/test_helpers.py tests/unit/networking tests/unit/devices tests/unit/processes

.PHONY: run test test-together test-units test-threads test-sync lint types check check-fast bench clean

run: $(INSTALLED)
	@$(BIN)/concert run sessions/tutorial.py rocking_curve --data data
	@echo "Next: $(BIN)/concert start --filename sessions/tutorial.py"

# Two at a time; each shows what it has to say when it has ended.
test: $(INSTALLED)
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target --keep-going test-together test-units test-threads test-sync

test-together: $(INSTALLED)
	$(PYTEST) -p no:cacheprovider tests/integration tests/docs

test-units: $(INSTALLED)
	$(PYTEST) -p no:cacheprovider tests/test_layers.py tests/unit

test-threads: $(INSTALLED)
	$(PYTEST) -p no:cacheprovider --concert-runtime=threads $(EVERYWHERE)

test-sync: $(INSTALLED)
	$(PYTEST) -p no:cacheprovider --concert-runtime=sync $(EVERYWHERE)

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(INSTALLED)
	$(BIN)/mypy

check: lint types test
	CONCERT_KILLS=100 $(PYTEST) -q tests/integration/test_storage_kills.py

check-fast: $(INSTALLED)
	$(BIN)/ruff check --quiet
	$(PYTEST) -q tests/test_layers.py tests/unit/base tests/unit/devices --ignore=tests/unit/devices/tango

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

clean:
	@# A virtual environment keeps the sessions that were made in it: they are not ours to remove.
	if [ -d .venv/share/concert ]; then \
	    find .venv -mindepth 1 -maxdepth 1 -not -name share -exec rm -rf {} + ; \
	    find .venv/share -mindepth 1 -maxdepth 1 -not -name concert -exec rm -rf {} + ; \
	    echo "Kept the sessions in .venv/share/concert"; \
	else rm -rf .venv; fi
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find concert tests benchmarks sessions -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): setup.cfg constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Concert needs Python 3.11 or newer; say where it is: make PYTHON=/path/to/python3")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what is needed into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test,dev]'
	@touch $@
