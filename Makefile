# What a person runs is what CI runs.
SHELL := bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV := .venv/bin/uv
COMPILE := $(UV) pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock"
export RASA_TELEMETRY_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL := 3

.PHONY: help setup setup-dev demo train test lint format check-shared bench lock clean

help:  ## what can be run
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: .venv/.app .venv-nlu/.nlu  ## the two environments, whatever of them is missing

setup-dev: .venv/.dev .venv-nlu/.nlu

demo: setup  ## everything on one machine with a pretended day (ARGS="--speed 60 --port 8080")
	@.venv/bin/doorline demo $(ARGS)

train: setup  ## train the language model when its inputs changed
	@.venv/bin/doorline train

test: setup-dev  ## the whole test suite
	@.venv/bin/doorline train
	@.venv/bin/pytest -m "not shared" -n logical --maxprocesses 4 --dist loadfile $(ARGS)

lint: .venv/.dev  ## style, types, import contracts
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache --no-logo
	@.venv/bin/python -m tools.lint_responses

format: .venv/.dev
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

check-shared: setup-dev  ## checks that need ../shared beside the project
	@test -d ../shared || { echo "../shared is not here"; exit 1; }
	@.venv/bin/doorline train
	@.venv/bin/pytest -m shared $(ARGS)

bench: setup-dev  ## measurements; each prints a table and writes bench/results/
	@.venv/bin/python -m bench.answer_time $(ARGS)

lock: $(UV)  ## compile the pinned, hashed requirements from pyproject.toml
	$(COMPILE) pyproject.toml --group build -o requirements.txt
	$(COMPILE) pyproject.toml --group build --group dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) --group nlu --override nlu/overrides.txt -o nlu/requirements.txt

clean:  ## forget the environments and everything under var/
	rm -rf .venv .venv-nlu var

# --- environments -------------------------------------------------------------------------------

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
		|| { echo "[setup] Doorline needs Python 3.11 (with venv and pip); set PYTHON=/where/it/is"; exit 1; }
	@echo "[setup] Python environment for the app (.venv)"
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.9,<1"

.venv/.app: requirements.txt pyproject.toml | $(UV)
	@echo "[setup] installing the app's packages"
	@$(UV) pip install --python .venv/bin/python --no-deps --require-hashes -r requirements.txt
	@$(UV) pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.app
	@echo "[setup] installing the tools for tests and checks"
	@$(UV) pip install --python .venv/bin/python --no-deps --require-hashes -r requirements-dev.txt
	@touch $@

.venv-nlu/.nlu: nlu/requirements.txt | $(UV)
	@echo "[setup] Python environment for Rasa (.venv-nlu), about 2.5 GB: this takes a minute or two"
	@$(PYTHON) -m venv .venv-nlu
	@$(UV) pip install --python .venv-nlu/bin/python --no-deps --require-hashes -r nlu/requirements.txt
	@touch $@
