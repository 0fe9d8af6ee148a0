# Two commands: `make demo` shows the product, `make test` tests it. Both set up .venv themselves.
# `make catalogue` runs every command of docs/catalogue.md in its quick form; that takes long.

PYTHON ?= python3
PIP = .venv/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test lint bench catalogue clean

demo: .venv/installed
	.venv/bin/ceteris run digits/learning-rate

test: .venv/developing lint
	.venv/bin/python -m pytest --numprocesses 2 --durations 10

lint: .venv/developing
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: .venv/installed
	.venv/bin/python benchmarks/run.py

catalogue: .venv/installed
	.venv/bin/python tests/catalogue.py

.venv/installed: pyproject.toml constraints.txt
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	$(PIP) install --constraint constraints.txt --editable .
	touch $@

.venv/developing: .venv/installed
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv build dist src/*.egg-info
