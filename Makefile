# One verb per line; `make help` lists them. Everything stays inside this folder (.venv).
.DEFAULT_GOAL := help
BIN := .venv/bin
ARGS ?=

.PHONY: help lab test test-kind check format notebooks screenshots bench lock clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/.lab: requirements.lock pyproject.toml scripts/env.sh
	@scripts/env.sh requirements.lock
	@touch $@

.venv/.dev: requirements-dev.lock pyproject.toml scripts/env.sh
	@scripts/env.sh requirements-dev.lock
	@touch $@ .venv/.lab

lab: .venv/.lab ## run the lab: embedded cluster, engine and page (ARGS="--speed 5", Ctrl-C stops all)
	@exec $(BIN)/rollout-lab up $(ARGS)

test: .venv/.dev ## pass every test that needs no Docker
	$(BIN)/pytest -m "not kind and not bench" $(ARGS)

test-kind: .venv/.dev ## pass the tests on a real kind cluster (needs Docker, kind and a node image)
	$(BIN)/pytest -m kind tests/kind $(ARGS)

check: .venv/.dev ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: .venv/.dev ## put the code into form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

notebooks: .venv/.dev ## make the notebooks of the lessons from their text
	$(BIN)/python -m rollout_lab.course.notebook

screenshots: .venv/.dev ## take the pictures of the README from a running lab
	$(BIN)/python -m tests.browser.screenshots

bench: .venv/.dev ## measure: start, memory, latency (never part of the tests)
	$(BIN)/pytest -m bench tests/bench tests/notebook -s $(ARGS)

lock: .venv/.dev ## renew both lock files from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --extra ui --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate --upgrade -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra ui --group dev -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate --upgrade -o requirements-dev.lock

clean: ## remove the environment and every cache
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist *.egg-info
