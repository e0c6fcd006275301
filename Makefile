# Two commands do everything on a machine that has Python 3.11 or newer and make:
#   make demo   four parties as real processes over encrypted TCP compute an average
#   make test   lint, types, import layers, tests, and a protocol run from the built wheel
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-$(shell cksum pyproject.toml | cut -d' ' -f1)
RUN_STAMP := $(VENV)/.runtime-$(shell cksum pyproject.toml | cut -d' ' -f1)

.PHONY: demo test lint types layers unit docs wheel install clean

demo: $(RUN_STAMP)
	$(BIN)/mpcnet demo average

test: lint types layers unit docs wheel

install: $(STAMP)

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("mpcnet needs Python 3.11 or newer: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(RUN_STAMP): | $(BIN)/python
	$(BIN)/pip install --quiet -e .
	touch $@

$(STAMP): | $(BIN)/python
	$(BIN)/pip install --quiet -e '.[dev]'
	touch $@ $(RUN_STAMP)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pyright --warnings
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/verify_types.py

layers: $(STAMP)
	$(BIN)/lint-imports

# On all cores, up to four; the tests of one file stay together.
unit: $(STAMP)
	$(BIN)/pytest -q -n logical --maxprocesses 4 --dist loadfile

# The site, into build/docs. -n and -W: a broken link, an unknown name or term ends the build.
docs: $(STAMP)
	$(BIN)/sphinx-build -j auto -E -n -W --keep-going -q -b html docs build/docs
	$(BIN)/python tools/check_site.py build/docs

# The wheel, in an empty environment: what a user gets, and nothing of this checkout.
wheel: $(STAMP)
	rm -rf dist build/wheel-env
	$(BIN)/python -m build --wheel --outdir dist .
	$(PYTHON) -m venv build/wheel-env
	build/wheel-env/bin/pip install --quiet --disable-pip-version-check dist/*.whl
	cd build && wheel-env/bin/mpcnet sim average
	cd build && wheel-env/bin/mpcnet demo average
	tools/try_plugin.sh build/wheel-env/bin build/plugin

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
