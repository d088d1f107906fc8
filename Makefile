# `make demo` and `make test` do all their set-up themselves: a .venv is made or reused.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test test-all browser versions lint types clean

# `edgekit` was the distribution's name before it was edgekit-toolkit's; both bring bin/edgekit, so it goes first.
# constraints.txt holds the versions that the tests last passed with: a release of tonight changes no test run.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python 3.11-3.13 is needed, {sys.executable} is {v[0]}.{v[1]}; run: make PYTHON=python3.12 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip uninstall --quiet --quiet --yes edgekit
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,dev]'
	-$(BIN)/edgekit weights get mobilenet_v2
	touch $@

demo: $(STAMP)
	$(BIN)/python -m edgekit.demo

# Gestures are measured in a real browser. Where it cannot be installed, the line to run is said, and the tests
# that need it are counted at the end.
browser: $(STAMP)
	@$(BIN)/python -m tests.browser

# Tests with a real browser, real clocks and real processes share the machine with others: what fails runs once
# more, and is named at the end.
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal --reruns 1 --reruns-delay 2 -rR

test: $(STAMP) browser
	$(PYTEST) -m 'not slow and not device'

test-all: $(STAMP) browser
	$(PYTEST)

# The newest versions that pyproject.toml allows become those that are tested; torch's name tells the wheel's kind.
versions: $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade --upgrade-strategy eager -e '.[all,dev]'
	$(BIN)/pip freeze --exclude-editable | grep -v '^torch==' > constraints.txt

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(STAMP)
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build dist runs *.egg-info .pytest_cache .ruff_cache .mypy_cache
