# Everything from a fresh clone: `make demo` runs the main job, `make test` the tests. Both work again when repeated.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo serve test test-lowest lint bench docs clean

demo: $(VENV)/.installed
	$(BIN)/des run scenarios/two_stage.yaml

# The page and the HTTP API, on this machine alone: http://127.0.0.1:8731
serve: $(VENV)/.installed-serve
	$(BIN)/des serve

# Tests start many processes, which would each compile the package again where nothing keeps the bytecode.
test: $(VENV)/.installed-dev
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses auto --dist loadfile

# With the lowest versions that pyproject.toml allows, on the lowest Python (make test-lowest PYTHON=python3.11): there
# are no builds of them for later ones. TESTS=tests/traces runs some of the tests.
test-lowest: LOWEST := $(VENV)-lowest
test-lowest: TESTS ?= tests
test-lowest:
	"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "test-lowest needs Python 3.11" >&2; exit 1; }
	"$(PYTHON)" -m venv "$(LOWEST)"
	"$(PYTHON)" -m benchmarks.lowest_versions > "$(LOWEST)/constraints.txt"
	"$(LOWEST)/bin/python" -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat \
		--constraint "$(LOWEST)/constraints.txt" --editable '.[dev]'
	"$(LOWEST)/bin/python" -m pytest --numprocesses auto --dist loadfile $(TESTS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks

# Writes docs/reference from the program, and the site to build/site. Open build/site/index.html.
docs: $(VENV)/.installed-dev
	$(BIN)/python -m tests.documentation.pages
	$(BIN)/python -m mkdocs build --strict --config-file .mkdocs.yml

$(VENV)/.created:
	@command -v "$(PYTHON)" >/dev/null || { echo "des needs Python 3.11 or later, and '$(PYTHON)' is not on the path: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "des needs Python 3.11 or later, and '$(PYTHON)' is $$("$(PYTHON)" -V 2>&1): make PYTHON=/path/to/python3.11" >&2; exit 1; }
	"$(PYTHON)" -m venv "$(VENV)"
	touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	@echo "installing des and the libraries that it uses into $(VENV): a minute or more" >&2
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat --editable '.[fast,report]'
	touch $@

$(VENV)/.installed-dev: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat --editable '.[dev]'
	touch $@ $(VENV)/.installed

$(VENV)/.installed-serve: $(VENV)/.created pyproject.toml
	@echo "installing des and the libraries that it uses into $(VENV): a minute or more" >&2
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat --editable '.[fast,serve]'
	touch $@ $(VENV)/.installed

clean:
	rm -rf .venv .venv-lowest build dist ./*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find des tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
