.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
RUN := $(VENV)/bin/

.PHONY: help setup demo test test-all test-scale check fmt bench sabotage sandbox lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## the virtual environment, from the lock file with hashes

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "muster needs Python 3.11 or newer; try: make PYTHON=python3.11")'
	@test -x $(RUN)python || $(PYTHON) -m venv $(VENV)
	@$(RUN)python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(RUN)python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

test: $(READY) ## the tests that a change must pass (minutes)
	@$(RUN)python -m pytest -q -n 6 --dist worksteal -m "not slow"

test-all: $(READY) ## every test, the long ones too
	@$(RUN)python -m pytest -q -n 2 --hypothesis-profile=thorough

test-scale: $(READY) ## several processes and machines on one run; the linters of deploy/ (hundreds of megabytes more)
	@$(RUN)python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-scale.lock
	@TESTS_AT_SCALE=1 $(RUN)python -m pytest -q tests/flow/test_ray.py tests/flow/test_slurm.py tests/flow/test_shards.py tests/house/test_deploy.py

check: $(READY) ## lint, format, types, and what a scanner finds in the source
	@$(RUN)ruff check . && $(RUN)ruff format --check . && $(RUN)mypy
	@$(RUN)bandit --quiet --recursive --severity-level medium jobs schemas
	@git ls-files jobs schemas sample_data '*.toml' '*.md' | xargs $(RUN)detect-secrets-hook \
	  $(foreach kind,KeywordDetector Base64HighEntropyString HexHighEntropyString,--disable-plugin $(kind)) \
	  --exclude-lines 'USER:PASSWORD|user:password'

fmt: $(READY) ## format and sort
	@$(RUN)ruff check --fix --quiet . ; $(RUN)ruff format .

sandbox: $(READY) ## the local stand-in of the target on port 8080
	@$(RUN)muster sandbox --port 8080

lock: ## pin the dependencies again (needs uv), and list them in sbom.cdx.json
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra dev --no-header --no-annotate -o requirements.lock pyproject.toml
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra dev --extra ray --group scale --no-header --no-annotate -c requirements.lock -o requirements-scale.lock pyproject.toml
	@$(RUN)python -m tests.house.sbom

clean: ## forget the environment and what the demo left
	@rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache

bench: $(READY) ## what a row costs, beside others and by stage (half an hour; QUICK=1: five minutes)
	@$(RUN)python bench/bench.py $(if $(QUICK),--quick)

demo: $(READY) ## a file with every kind of row, against the built-in sandbox
	@$(RUN)python sample_data/demo.py

sabotage: $(READY) ## wrong versions of the engine, each of which must be caught
	@$(RUN)python -m tests.sabotage
