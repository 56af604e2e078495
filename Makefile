# Two commands do everything on a fresh machine: `make demo` and `make test`.
# Needed beforehand: Python 3.11 or newer, make, and access to a package index.

# The first of these that runs and is new enough; name another with PYTHON=….
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= auto
PORT ?= 8480

.PHONY: demo serve test faults bench bench-full lint docs screenshots secrets clean help

help:  ## Show what can be made.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/'

$(VENV)/installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name one with PYTHON=…" >&2; exit 3; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/tested: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

demo: $(VENV)/installed  ## Play a SIP journey between a municipality and a region, and show the ledger it ends in.
	$(BIN)/gateway demo

# PORT=… is where the municipality is looked at; the region has the port after it.
serve: $(VENV)/installed  ## The same journey, with the pages of both left open to look around in until Ctrl-C.
	$(BIN)/gateway demo --serve $(PORT)

# Some tests need RabbitMQ, PostgreSQL and Chromium: they are used where they are, installed where root and apt-get
# may, and started in private; without them those tests are skipped, or fail when CI=true.
test: $(VENV)/tested lint  ## Check the code and run every test.
	cd tests && ../$(BIN)/python -m services.installing
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

# Some 25 minutes. FAULTS="--only broker" plays a part of it, FAULTS=--list names the runs.
faults: $(VENV)/tested  ## Break everything around two gateways, and show that nothing is lost, doubled or untrue.
	cd tests && ../$(BIN)/python -m services.installing postgresql rabbitmq-server
	cd tests && ../$(BIN)/python -m faults $(FAULTS)

bench: $(VENV)/tested  ## Measure the gateway beside the least that any program must do, and write bench/results.json.
	cd tests && ../$(BIN)/python -m services.installing postgresql rabbitmq-server
	PYTHONPATH=.:tests $(BIN)/python -m bench

bench-full: $(VENV)/tested  ## The same, and once more with a million messages already stored.
	cd tests && ../$(BIN)/python -m services.installing postgresql rabbitmq-server
	PYTHONPATH=.:tests $(BIN)/python -m bench --full

lint: $(VENV)/tested  ## Check form and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/installed  ## Write the generated pages in docs/ anew.
	$(BIN)/gateway docs docs

screenshots: $(VENV)/tested  ## Take the pictures in docs/pages/ anew, of pages of the demo journey.
	cd tests && ../$(BIN)/python -m services.installing chromium
	cd tests && ../$(BIN)/python -m pages.pictures ../docs/pages

# Readable by the containers' own users, so the folder is what keeps others out.
secrets:  ## Make the passwords that compose.yaml hands to its services, where there are none yet.
	@mkdir -p -m 700 secrets
	@for name in store_admin exchange_admin kommun_store kommun_exchange region_store region_exchange; do \
		test -s secrets/$$name || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > secrets/$$name; done

clean:  ## Remove the environment and everything that was made.
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
