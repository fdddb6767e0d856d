# make demo: install into .venv and run the demonstration; make test: install and run all checks.
# The README lists the plain commands beside each.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check lint types bench generate clean

demo: $(VENV)/.demo
	$(BIN)/python examples/demo

test: $(VENV)/.test lint types
	$(BIN)/python -m pytest -n auto

lint: $(VENV)/.test
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

types: $(VENV)/.test
	$(BIN)/python -m mypy

bench: $(VENV)/.demo
	$(BIN)/python bench

generate: $(VENV)/.test
	$(BIN)/python proto/generate.py

$(VENV)/.demo: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e '.[demo]'
	touch $@

$(VENV)/.test: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e '.[demo,test]'
	touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) demo-out bench-out build *.egg-info .mypy_cache .pytest_cache .ruff_cache
