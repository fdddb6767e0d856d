# make demo: install into .venv and run the demonstration; make test: install and run all checks.
# The README lists the plain commands beside each. make native: build the optional native core (needs Rust) into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# setuptools would warn that an editable installation is one
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip

.PHONY: demo test check lint types bench recall generate native native-test clean

demo: $(VENV)/.demo
	$(BIN)/python examples/demo

test: $(VENV)/.test lint types
	$(BIN)/python -m pytest -n auto

lint: $(VENV)/.test
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

types: $(VENV)/.test
	$(BIN)/python -m mypy

bench: $(VENV)/.bench
	$(BIN)/python bench
	$(BIN)/python bench audit

recall: $(VENV)/.recall
	$(BIN)/python recall

generate: $(VENV)/.test
	$(BIN)/python proto/generate.py

$(VENV)/.demo: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade pip
	$(PIP) install --quiet -e '.[demo]'
	touch $@

$(VENV)/.bench: pyproject.toml $(VENV)/.demo
	$(PIP) install --quiet -e '.[bench]'
	touch $@

$(VENV)/.recall: pyproject.toml $(VENV)/.demo
	$(PIP) install --quiet -e '.[recall]'
	touch $@

$(VENV)/.test: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade pip
	$(PIP) install --quiet -e '.[demo,test]'
	touch $@ $(VENV)/.demo

native: $(VENV)/.demo
	@command -v cargo >/dev/null || { echo "make native needs Rust 1.89 or later, with cargo: https://rustup.rs"; exit 1; }
	$(PIP) install --quiet ./native

# the core's own tests, and everything that computes in a group again, on the core: of the server building and matching
native-test: native $(VENV)/.test
	cd native && cargo fmt --check && cargo clippy --release --all-targets --features python -- -D warnings && cargo test --release
	TPSI_TEST_NATIVE=1 TPSI_BACKEND=native $(BIN)/python -m pytest -n auto tests/groups tests/protocol tests/test_transcripts.py \
		tests/server/test_epochs.py tests/server/test_matching.py tests/server/test_screening.py

clean:
	rm -rf $(VENV) native/target demo-out bench-out build *.egg-info .mypy_cache .pytest_cache .ruff_cache
