# Two commands: `make demo` runs the main job, `make test` passes the tests. Each sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Where the demo writes; `make demo DEMO=/somewhere` changes it.
DEMO ?= runs/demo
# The video that it scores alone at the end, one of a content that was not trained on.
ONE := videos/motorcycle_00000_blur1-crf32.mp4

.PHONY: help setup demo test lint fast clean

help:
	@echo "make setup   a virtual environment in .venv with everything the other commands need"
	@echo "make demo    builds the demo data, trains both branches, fuses them, scores videos never seen"
	@echo "make test    lints, type-checks and runs every test"
	@echo "make fast    the tests without the slow ones"
	@echo "make lint    ruff and mypy alone"
	@echo "make clean   removes .venv, caches and runs"

setup: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 10) <= sys.version_info[:2] <= (3, 12) else "zoomvqa needs Python 3.10 to 3.12, this is " + sys.version.split()[0] + ": make PYTHON=python3.11 " + "setup")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --progress-bar on -e '.[dev]'
	touch $(STAMP)

demo: setup
	$(BIN)/python train.py branch=iqa data=demo probe=ridge output=$(DEMO)/iqa overwrite=true
	$(BIN)/python train.py branch=vqa data=demo output=$(DEMO)/vqa overwrite=true
	$(BIN)/python train.py branch=fusion data=demo iqa=$(DEMO)/iqa/checkpoints/best.ckpt \
	  vqa=$(DEMO)/vqa/checkpoints/last.ckpt output=$(DEMO)/fused overwrite=true
	$(BIN)/python predict.py ckpt=$(DEMO)/fused/checkpoints/best.ckpt data=demo split=test output=$(DEMO)/scores.csv
	$(BIN)/python scripts/evaluate.py predictions=$(DEMO)/scores.csv names=[fused] data=demo probe=ridge published=false \
	  output=$(DEMO)/evaluation
	$(BIN)/python predict.py ckpt=$(DEMO)/fused/checkpoints/best.ckpt \
	  input="$${ZOOMVQA_CACHE:-$$HOME/.cache/zoomvqa}/demo/$(ONE)" \
	  output=$(DEMO)/one.csv details=true

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -n auto --dist worksteal

fast: lint
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not slow'

clean:
	rm -rf $(VENV) runs multirun build dist .mypy_cache .ruff_cache .pytest_cache
