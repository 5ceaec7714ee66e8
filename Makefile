# Every target sets up what it needs on its own; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Unset, so that compiled bytecode is used: it halves the time of every dvc command.
unexport PYTHONDONTWRITEBYTECODE
export DVC_NO_ANALYTICS := 1

UNET = $(shell sed -n 's/^unet = \["\(.*\)"\]$$/\1/p' pyproject.toml)
SYNC := $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python requirements.lock

.DEFAULT_GOAL := help
.PHONY: help setup repro ravir satellite faults repairs sweep torch train folder record test portable lint lock experiments benchmark release diff view agree verify deposit copy rebuild adopt clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

$(BIN)/uv: requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else f"Clearset needs Python 3.11 or later; {sys.executable} is {v[0]}.{v[1]}. Name another one: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.lock
	@touch $@

$(VENV)/installed: $(BIN)/uv requirements.lock pyproject.toml
	@echo "setting up $(VENV) from requirements.lock ..."
	@$(SYNC) 2>$(VENV)/uv.log || UV_SYSTEM_CERTS=true $(SYNC) # a network's own certificates: the system knows them
	@$(BIN)/uv pip install --quiet --offline --no-deps --python $(BIN)/python --editable . # the program `clearset`, of this tree
	@touch $@

# The engine's outcome is a line in $(VENV)/fastdup.txt: no fastdup is not an error, since the native engine needs none.
$(VENV)/fastdup.txt: $(VENV)/installed src/clearset/commands/fastdup.py
	@clearset fastdup

setup: $(VENV)/installed ## Set up everything: .venv from requirements.lock, and the newest fastdup in an environment of its own
	@clearset fastdup

repro: $(VENV)/installed ## Run the seven stages on the sample dataset
	@dvc repro report@sample release@sample
	@python src/config.py --check
	@clearset agree --line sample

ravir: $(VENV)/fastdup.txt ## Run the seven stages on RAVIR (CLEARSET_RAVIR=/path/to/a/copy, data/incoming/, or a download)
	@dvc repro report@ravir release@ravir
	@python src/config.py --check
	@clearset agree --line ravir

satellite: $(VENV)/installed ## Run the seven stages on 1,500 generated 16-bit satellite tiles (4 minutes)
	@dvc repro report@satellite_sample release@satellite_sample
	@python src/config.py --check
	@clearset agree --line satellite_sample

faults: $(VENV)/installed ## Plant faults into RAVIR's eyes and measure every detector (CLEARSET_RAVIR as above; 6 minutes)
	@dvc repro report@ravir_faults release@ravir_faults
	@python src/config.py --check
	@clearset agree --line ravir_faults

# torch is large and only `train` needs it: an extra that the lock leaves out, and `make setup` removes.
torch: $(VENV)/installed ## Install PyTorch, the extra that training a U-Net needs
	@python -c 'import torch' 2>/dev/null || { echo "installing $(UNET), an extra ..."; python -m pip install --quiet --disable-pip-version-check $(UNET); }

train: torch ## Train models on raw and repaired RAVIR (CLEARSET_RAVIR as above; 20 minutes on two cores, faster with a GPU)
	@dvc repro training/dvc.yaml:judge@ravir
	@python src/config.py --check

repairs: $(VENV)/installed ## Repair faults planted into RAVIR's eyes with masks, and measure what that does (5 minutes)
	@dvc repro report@ravir_repairs release@ravir_repairs
	@python src/config.py --check
	@clearset agree --line ravir_repairs

sweep: DATASET ?= ravir_repairs
sweep: $(VENV)/installed ## Try every setting of conf/sweeps/DATASET.yaml as an experiment: DATASET=sample (4 minutes; git must be clean)
	@clearset sweep "$(DATASET)"

adopt: $(VENV)/installed ## Make an experiment the default: its values go into conf/, its results into place: NAME=strict
	@clearset adopt "$(NAME)"

folder: $(VENV)/installed ## Run the stages on your own images, or a fastdup work folder: SOURCE=/path NAME=mine [SET='mine.filter.blur.min=500 ...']
	@set --; for word in $(SET); do set -- "$$@" --set "$$word"; done; clearset folder "$(SOURCE)" "$(NAME)" "$$@"

release: $(VENV)/installed ## Release a dataset to others: push, CHANGELOG entry, tag: DATASET=sample VERSION=v1 (git must be clean)
	@clearset publish "$(DATASET)" "$(VERSION)"

diff: $(VENV)/installed ## Say which images changed fate, and why: DATASET=sample A=sample-v1 B=sample-v2 (tags, commits, experiments)
	@clearset diff "$(DATASET)" "$(A)" $(if $(B),"$(B)")

view: DATASET ?= sample
view: $(VENV)/installed ## Open a dataset's page: look, decide, release: DATASET=sample
	@clearset view "$(DATASET)"

agree: DATASET ?= sample
agree: $(VENV)/installed ## Say whether a run gave what is committed, or what differs: DATASET=sample [REVISION=sample-v1]
	@clearset agree "$(DATASET)" $(if $(REVISION),"$(REVISION)")

verify: $(VENV)/installed ## Check a released folder by its hashes and its pixels, and name what differs: FOLDER=data/release/sample
	@clearset verify "$(FOLDER)"

copy: $(VENV)/installed ## Copy a released folder to wherever fsspec reaches: FOLDER=data/release/sample URL=s3://bucket/folder [PRIVATE=1]
	@clearset copy "$(FOLDER)" "$(URL)" $(if $(PRIVATE),--private)

.PHONY: deposit
deposit: $(VENV)/installed ## Put a released folder or a recipe into Zenodo as a draft (ZENODO_TOKEN): FOLDER=data/release/sample [TO=https://sandbox.zenodo.org/api]
	@clearset deposit "$(FOLDER)" $(if $(TO),--to "$(TO)") $(if $(LICENCE),--licence "$(LICENCE)")

rebuild: $(VENV)/installed ## Make a cleaned dataset from its recipe and its source: RECIPE=data/recipe/ravir SOURCE=/path TARGET=cleaned
	@clearset rebuild "$(RECIPE)" "$(SOURCE)" "$(TARGET)"

record: $(VENV)/fastdup.txt ## Write down what a working fastdup gives on RAVIR, and on what tests make, for when it works no more (CLEARSET_RAVIR as above)
	@dvc repro fetch@ravir
	@clearset record ravir
	@PYTHONPATH=src python tests/recordings.py

test: $(VENV)/fastdup.txt ## Run the tests
	@python -m pytest

portable: $(VENV)/installed ## Compare bytes with an old processor (qemu-user), and the oldest and newest NumPy (10 minutes)
	@PYTHONPATH=src python tests/portable.py

.PHONY: torture
torture: $(VENV)/installed ## Damage files, kill runs, fill disks, and say what came of it in one table (40 minutes)
	@PYTHONPATH=src:tests python tests/torture.py
	@python docs/renew.py

lint: $(VENV)/installed ## Check style and types
	@ruff check . && ruff format --check . && mypy

# pip-audit lives in an environment of its own: nothing of ours runs with what it needs.
.PHONY: audit
audit: $(VENV)/installed ## Look up known vulnerabilities, and the licences, of every package of requirements.lock
	@test -x $(VENV)/audit/bin/pip-audit || { $(PYTHON) -m venv $(VENV)/audit && $(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.10'; }
	@python tests/audit.py $(VENV)/audit/bin/pip-audit

.PHONY: docs
docs: $(VENV)/installed ## Renew the numbers in docs/ from the tables
	@python docs/renew.py

experiments: $(VENV)/installed ## Compare experiments: bounds, counts, changes
	@dvc exp show --no-pager --only-changed --drop '(src|data|conf|training).*|Created|Executor|State'

benchmark: $(VENV)/fastdup.txt ## Time the pipeline on RAVIR, and 8,258 satellite tiles, beside the bare fastdup call
	@PYTHONPATH=src python benchmarks/pipeline.py
	@PYTHONPATH=src python benchmarks/sweeping.py
	@PYTHONPATH=src python benchmarks/satellite.py

lock: $(VENV)/installed ## Renew requirements.lock
	@uv pip compile pyproject.toml --quiet --extra pipeline --upgrade --group dev --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --custom-compile-command "make lock" --output-file requirements.lock

clean: ## Remove the environment
	rm -rf $(VENV)
