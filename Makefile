# The two commands that matter: `make run` (sync the embedded estate once) and `make test` (the gate).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .venv-tools
SANDBOX := .sandbox

.PHONY: install run ui test static pytest test-daemon matrix probes bench rehearsal docs lock sbom managed-policies clean
.DEFAULT_GOAL := run

install: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "raito-pipeline needs Python 3.11 or later; set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing into $(VENV) (a few minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

run: install
	@$(BIN)/raito-pipeline sandbox --directory $(SANDBOX) --sync

ui: install
	@$(BIN)/raito-pipeline sandbox --directory $(SANDBOX) --ui

# The two halves at the same time: types take a minute of one core, and many tests wait.
test: install
	@$(MAKE) --no-print-directory -j 2 pytest static

static: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Tests start many processes: what Python made of the sources is kept for the next one, whatever the shell says of that.
# The first line makes what all three workers need, which each would else make by itself. Three on two cores, as some tests
# wait.
pytest: install
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest -q -q -n 0 --collect-only > /dev/null || true  # the next line says what is wrong
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder

matrix: install
	$(BIN)/python -m tests.matrix --account finance
	$(BIN)/python -m tests.matrix --account research
	RAITO_PIPELINE_WHOLE_READER_FAULTS=1 $(BIN)/pytest -q -o timeout=0 tests/aws/readers/test_fault_matrix.py
	RAITO_PIPELINE_WHOLE_PUSH_FAULTS=1 $(BIN)/pytest -q -o timeout=0 tests/aws/push/test_push_faults.py

# Daemons that wait for the next minute, are killed and started again; syncs killed at forty moments: half an hour.
test-daemon: install
	$(BIN)/pytest -q -m slow_daemon tests/end_to_end

# Four million requests in random accounts, what is shown of them against AWS's evaluation: half an hour.
probes: install
	RAITO_PIPELINE_PROBES=4000000 $(BIN)/pytest -q -s -n 0 tests/aws/access/test_random_accounts.py tests/aws/access/test_effective.py

bench: install
	$(BIN)/python -m tests.bench

# The compose deployment without containers, on an emulated estate: three scheduled cycles, with what goes wrong in a year.
rehearsal: install
	$(BIN)/python -m tests.bench.rehearsal

docs: install
	$(BIN)/python -m raito_pipeline.config.docs docs/options.md
	$(BIN)/python -m raito_pipeline.model.docs docs/tables.md

# What is installed for releases and not for work: the maker of the locks, of the bill of materials, of the licences.
$(TOOLS)/.installed: tools.lock
	@test -x $(TOOLS)/bin/python || $(PYTHON) -m venv $(TOOLS)
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement tools.lock
	@touch $@

# The newest versions that pyproject.toml allows, with the hashes of their files for every platform: of all that the gate
# needs, and of that only what the image of a deployment has.
lock: $(TOOLS)/.installed
	$(TOOLS)/bin/uv pip compile pyproject.toml --extra dev --extra sandbox --extra deploy --universal --upgrade \
	  --generate-hashes --no-strip-extras --no-annotate --no-header --output-file requirements.lock
	$(TOOLS)/bin/uv pip compile pyproject.toml --extra deploy --constraint requirements.lock --universal --upgrade \
	  --generate-hashes --no-strip-extras --no-annotate --no-header --output-file deploy/requirements.lock

# What is installed, as CycloneDX (build/sbom.json), and under which licences (build/licenses.md).
sbom: install $(TOOLS)/.installed
	@mkdir -p build
	$(TOOLS)/bin/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --output-reproducible \
	  --output-format JSON --output-file build/sbom.json
	$(TOOLS)/bin/pip-licenses --python=$(BIN)/python --from=mixed --format=markdown --order=license \
	  --output-file=build/licenses.md

# The copy of AWS's own policies, for accounts that may not read them: from AWS, with the profile PROFILE.
managed-policies: install
	$(BIN)/python -m raito_pipeline.aws.readers.kept_policies_refresh $(PROFILE)

clean:
	rm -rf $(SANDBOX) .dagster .tmp_dagster_home_*
