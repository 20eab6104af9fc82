# One word a task; the same words in CI. Everything happens in .venv, which the first task makes.
VENV := .venv
BIN := $(VENV)/bin
# The first Python of these that is there; the stack has wheels for each.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name) 2>/dev/null)))
SETS := artifacts/demo-run

.DEFAULT_GOAL := help
.PHONY: help demo test check fuzz test-faults bench bench-quick bench-training bench-graph bench-quality bench-quality-quick
.PHONY: bench-calibration demo-artifact clean

help:  ## list the tasks
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 24

demo: $(VENV)/ready  ## fit, export and score the bundled set, from nothing to a table
	rm -rf $(SETS)
	$(BIN)/adtrain dataset demo --split test --out $(SETS)/test
	$(BIN)/adtrain fit --out $(SETS)/run
	$(BIN)/adtrain export $(SETS)/run --out $(SETS)/detector.onnx
	$(BIN)/adscore $(SETS)/test --model $(SETS)/detector.onnx --out $(SETS)/results.csv
	$(BIN)/adtrain evaluate $(SETS)/detector.onnx $(SETS)/test
	@echo "The table of scores:       $(SETS)/results.csv"
	@echo "The detector, one file:    $(SETS)/detector.onnx"
	@echo "The pictures of the run:   $(SETS)/run/*.png"

test: $(VENV)/ready  ## run every test, the slow ones too
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: $(VENV)/ready  ## lint, format, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fuzz: $(VENV)/ready  ## look for faults in what is read and written, EXAMPLES=number of each kind
	ADSCORE_FUZZ=$(or $(EXAMPLES),20000) $(BIN)/python -m pytest tests/fuzz

test-faults: $(VENV)/ready  ## damaged images and detectors, full disks and the like by the real command, DATA=folder
	$(BIN)/python -m benchmarks.faults $(if $(DATA),--data $(DATA))

bench: $(VENV)/ready  ## measure scoring against plain loops, peers and the limit, DATA=folder
	$(BIN)/python -m benchmarks.scoring $(if $(DATA),--data $(DATA))

bench-quick: $(VENV)/ready  ## the same with few files, one round: that it works
	$(BIN)/python -m benchmarks.scoring --quick --out artifacts/bench

bench-training: $(VENV)/ready  ## measure adtrain fit against the plain script
	$(BIN)/python -m benchmarks.training

bench-graph: $(VENV)/ready  ## measure the exported graph beside others, float and int8, DATA=folder
	$(BIN)/python -m benchmarks.graph $(if $(DATA),--data $(DATA))

bench-quality: $(VENV)/ready  ## measure detection on real sets, DATA=folder; hours, and it resumes
	$(BIN)/python -m benchmarks.quality $(if $(DATA),--data $(DATA))

bench-quality-quick: $(VENV)/ready  ## the same on the bundled sets with one epoch: that it works
	$(BIN)/python -m benchmarks.quality --quick

bench-calibration: $(VENV)/ready  ## measure whether thresholds and p-values keep their promise
	$(BIN)/python -m benchmarks.calibration

demo-artifact: $(VENV)/ready  ## make artifacts/demo anew from the bundled set
	$(BIN)/python artifacts/demo/make.py

clean:  ## remove what the tasks made, .venv too
	rm -rf $(VENV) $(SETS) dist .mypy_cache .pytest_cache .hypothesis .ruff_cache .import_linter_cache

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
