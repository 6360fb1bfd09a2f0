# One door to everything that keeps this repository honest. CI calls the same targets (.ci/run).
# PYTHON may name another interpreter, such as `make test PYTHON=.venv/bin/python`.

PYTHON ?= python3
RUN := $(abspath $(shell command -v $(PYTHON)))
TREE := build/tree
, := ,
PARTS := agents judges exporters scenarios

.PHONY: help install check lint types floors test verify fix bench docs dist clean

help: ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: ## this repository, editable, with what developing needs
	$(RUN) -m pip install --quiet --editable '.[dev]'

check: lint types floors ## everything but the tests

lint: ## ruff: rules and format
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

# mypy and import-linter read packages as folders, so they are shown the layout that is installed.
$(TREE): FORCE
	@rm -rf $(TREE) && mkdir -p $(TREE)
	@cp -R tertulia $(TREE)/ && cp -R $(PARTS) $(TREE)/tertulia/
FORCE:

types: $(TREE) ## mypy, strict
	cd $(TREE) && MYPYPATH=. $(RUN) -m mypy --config-file $(CURDIR)/pyproject.toml --cache-dir $(CURDIR)/.mypy_cache -p tertulia

floors: $(TREE) ## import-linter: who may import whom
	cd $(TREE) && $(RUN) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --config $(CURDIR)/.importlinter --cache-dir $(CURDIR)/.import_linter_cache

test: ## the tests, on two cores
	$(RUN) -m pytest -n 2

# $(call fresh,FOLDER,REQUIREMENTS): they are installed in a virtual environment of its own, by uv where there is one.
fresh = test -x $(1)/bin/python || $(RUN) -m venv $(1); if command -v uv >/dev/null; \
	then uv pip install --quiet --python $(1)/bin/python $(2); else $(1)/bin/python -m pip install --quiet $(2); fi
VERIFY := build/verify
CONSUMERS := agentevals argilla deepeval google-adk inspect-ai openevals
# TORCH may name an index, such as TORCH='--extra-index-url https://download.pytorch.org/whl/cpu' for a smaller PyTorch.
TORCH ?=
verify: ## TRL trains on the exports, and those who read the others do, in environments of their own
	$(call fresh,$(VERIFY)/train,$(TORCH) --editable '.[dev$(,)train]')
	$(VERIFY)/train/bin/python -m pytest -q -n 0 tests/test_training.py tests/test_consumers.py
	$(call fresh,$(VERIFY)/consumers,--editable '.[dev]' $(CONSUMERS))
	$(VERIFY)/consumers/bin/python -m pytest -q -n 0 tests/test_export_evaluations.py tests/test_consumers.py -k "export_evaluations or argilla"

fix: ## format, and mend what ruff can mend
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

HOW ?= --quick
bench: ## ratios against a bare graph, and memory, in the short form; HOW= for the full one
	$(RUN) bench/steps.py --profile $(HOW)
	$(RUN) bench/memory.py $(HOW)
	$(RUN) bench/evaluate.py $(HOW)

docs: ## run every code block of the README and the pages
	$(RUN) -m pytest -q tests/test_docs.py

dist: ## wheel and source distribution in dist/
	rm -rf dist build/lib build/bdist* && $(RUN) -m build --outdir dist .

clean: ## what was built
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
