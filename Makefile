# Everything a newcomer needs, on a bare machine with python3 (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run setup test torture mutations lowest demo bench proto format clean

run: $(VENV)/.installed ## start the daemon on its defaults
	$(BIN)/sessiond serve

setup: $(VENV)/.tested ## the environment with all of it

# Two tests run on each core, since many of them wait for a daemon; a worker that has none left takes those of another.
test: setup ## every check: format, lint, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n $$($(BIN)/python -c 'import os; print(2 * os.cpu_count())') --dist worksteal

torture: setup ## what takes long: every live emitter, every question of the benchmarks, each property ten times as often
	SESSIOND_TORTURE=10 $(BIN)/python -m pytest -n auto --dist worksteal -m "" --timeout 1200 tests/emitters tests/properties tests/test_benchmarks.py

mutations: setup ## break each rule of the table and of calls, to see that a test notices; under a minute
	$(BIN)/python tests/mutations.py

lowest: ## every test, with the oldest versions of everything that pyproject.toml allows; what it installs goes to .venv-lowest
	$(PYTHON) -m venv --clear $(VENV)-lowest
	$(VENV)-lowest/bin/pip install --quiet --disable-pip-version-check uv
	$(VENV)-lowest/bin/uv pip install --quiet --python $(VENV)-lowest/bin/python --resolution lowest-direct -e '.[test]'
	$(VENV)-lowest/bin/python -m pytest -n $$($(VENV)-lowest/bin/python -c 'import os; print(2 * os.cpu_count())') --dist worksteal

demo: $(VENV)/.demo ## a real agent, traced, and what sessiond shows of it
	$(BIN)/python -m examples.demo

bench: setup ## what the figures in docs/benchmarks.md come from; SESSIOND_BENCH_DIR=DIR keeps the store that is asked, to ask again
	$(BIN)/python -m benchmarks.ingest
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.queries
	$(BIN)/python -m benchmarks.indexing

proto: setup ## generate src/sessiond/wire/_pb again
	$(BIN)/python proto/generate.py

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) $(VENV)-lowest build .mypy_cache .pytest_cache .ruff_cache .hypothesis

# The versions in constraints.txt are those that were tested together. An extra is installed once for each state of the files.
$(VENV)/.created:
	$(PYTHON) -c 'import sys; sys.exit("sessiond needs Python 3.11 or newer: make PYTHON=python3.11 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "python3 can't make environments here; on Debian: apt-get install python3-venv" >&2; exit 1; }
	touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.demo: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo]'
	touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@ $(VENV)/.demo
