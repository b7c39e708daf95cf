# Every command of this project. `make` prints this list.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
RUN := .venv/bin/python
ready := .venv/.installed

.PHONY: help demo serve test check lint types layers lab lab-down lab-status bench lock docs golden

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  make demo ONESHOT=1   ends by itself; LAB=0 uses your own kubeconfig instead of the lab"

demo: $(ready) ## set everything up, serve the lab's cluster, and show an MCP client at work until Ctrl-C
	@LAB="$(LAB)" ONESHOT="$(ONESHOT)" $(RUN) -m tools.demo

serve: $(ready) ## run the server with your configuration (ARGS="--config FILE")
	@.venv/bin/cloud-native-mcp serve $(ARGS)

test: $(ready) ## check, then run every test on a lab of its own, which is taken down at the end
	@$(RUN) -m tools.verify

check: lint types layers ## lint, types, layers, and the tests about the project itself: sizes, schemas, docs
	@$(RUN) -m pytest -q tests/meta

lint: $(ready)
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .

types: $(ready)
	@tools/pyright

layers: $(ready)
	@.venv/bin/lint-imports --no-cache

lab: $(ready) ## start the lab: real backends, no containers (built on first use)
	@$(RUN) -m lab up

lab-down: $(ready) ## stop the lab
	@$(RUN) -m lab down

lab-status: $(ready) ## what runs in the lab
	@$(RUN) -m lab status

bench: $(ready) ## measure the engine against the SDK's own server
	@$(RUN) -m bench

docs: $(ready) ## write the generated pages of docs/ again
	@$(RUN) -m tools.docs

golden: $(ready) ## write the golden tool lists again, after an intended change of tools
	@$(RUN) -m tools.golden

lock: $(ready) ## resolve the dependencies again into requirements/
	@tools/lock

$(ready): requirements/dev.txt pyproject.toml tools/environment
	@PYTHON="$(PYTHON)" tools/environment .venv
	@touch $@
