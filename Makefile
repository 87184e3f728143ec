# A fresh clone, Python 3.11 or later and make are enough: each target first sets .venv up, and again when what it depends on changes.

PORT ?= 8080
VENDOR ?= wispgate subscriptionflow pelcro stykite
TARGET ?= mock_server:create_app
VENV ?= .venv
READY := $(VENV)/.ready
RUN := $(VENV)/bin/

.DEFAULT_GOAL := help
.PHONY: help serve test check lint format bench power precision clean

help: ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

serve: $(READY) ## Serve every vendor on 127.0.0.1:8080 (PORT=9000 changes the port)
	@exec $(RUN)mockingbill serve --port $(PORT)

test: lint ## Format, lint, types, import rules, contracts, then every test
	@printf '\n== tests, the quick ones first ==\n'
	@$(RUN)pytest -n 2 --dist loadgroup --maxfail 20 --durations 20

check: $(READY) ## Hold the sandbox to its contracts (VENDOR=wispgate, TARGET=http://… for another implementation)
	@$(RUN)mockingbill check $(VENDOR) --target $(TARGET)

lint: $(READY) ## Everything that needs no running: format, lint, types, import rules, contracts
	@printf '\n== format ==\n'
	@$(RUN)ruff format --check .
	@printf '\n== lint ==\n'
	@$(RUN)ruff check .
	@printf '\n== types ==\n'
	@$(RUN)mypy
	@printf '\n== import rules ==\n'
	@$(RUN)lint-imports
	@printf '\n== contracts ==\n'
	@$(RUN)mockingbill lint

format: $(READY) ## Put the code in order
	@$(RUN)ruff check --fix .
	@$(RUN)ruff format .

bench: $(READY) ## Measure against Prism, Mockoon, stock Connexion and a hand-written route; about an hour (ROWS="small filter" for some)
	@$(RUN)python -m bench $(ROWS)

power: $(READY) ## Hold every server of the fault catalogue to every promise, on five seeds; an hour (POWER="--meant --seeds 1" for a minute)
	@$(RUN)python -m bench.power $(POWER)

precision: $(READY) ## Hold right servers to their contracts, on twenty seeds: nothing may be said; an hour (PRECISION="--profile smoke --seeds 1" for minutes)
	@$(RUN)python -m bench.precision $(PRECISION)

clean: ## Remove everything that was made here
	rm -rf $(VENV) .cache .hypothesis .schemathesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache build dist reports
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Another interpreter: make test PYTHON=python3.13
$(READY): pyproject.toml constraints.txt
	@set -e; \
	for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo 'mockingbill needs Python 3.11 or later, and there is none on the PATH. With one elsewhere: make PYTHON=FILE' >&2; exit 1; fi; \
	echo "== $(VENV): $$($$found --version), the versions of constraints.txt =="; \
	$$found -m venv $(VENV) || { echo 'Python cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@$(RUN)python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt hatchling editables
	@$(RUN)python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-build-isolation --editable '.[dev]'
	@touch $@
