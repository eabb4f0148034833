# make app    set up once, then open the app        make test    set up, then run everything that is checked
# make bench  print the timings that matter         make load    the same of twenty people at once
# make fuzz   open 20,000 damaged files with every reader; goes on where it was stopped
# make clean  remove what the others made
PORT ?= 8501
WORKERS ?= 2
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
export PYTHONPATH := $(CURDIR)

.PHONY: app test bench load fuzz clean

app: .venv/.installed
	$(BIN)/python -m streamlit run app/main.py --server.port $(PORT)

test: .venv/.testing
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

bench: .venv/.testing
	$(BIN)/python tests/bench.py

load: .venv/.testing
	$(BIN)/python tests/load/load.py

fuzz: .venv/.testing
	$(BIN)/python -m tests.fuzz.campaign

clean:
	rm -rf .venv app/static/vendor .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache test-results
	find app gen_core tests -name __pycache__ -type d -prune -exec rm -rf {} +

# torch goes first and alone: together with the rest, pip may take a far larger build of it.
.venv/.installed: requirements.txt app/vendor.py
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; name one with PYTHON=…" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^torch==' requirements.txt)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python app/vendor.py
	@touch $@

.venv/.testing: .venv/.installed tests/requirements.txt tests/browser/install.py
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	$(BIN)/python tests/browser/install.py
	@touch $@
