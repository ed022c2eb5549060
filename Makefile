# Each of these may be the first command in a fresh clone; README.md says what they need.
#   make app      set up, then the dashboard on http://127.0.0.1:8501   (PORT=8600 make app)
#                 LOCAL=1 make app lifts the limits of limits.toml
#   make test     set up, then all tests        make lint    style and types
#   make bench    speed and accuracy            make data    rebuild the embedded data sets
#   make audit    known holes in the packages   make lock    the locks of supply/ anew (UPGRADE=--upgrade: newest)
#   make bill     docs/licences.md, docs/sbom.cdx.json
# PYTHON=python3.12 make app picks another Python; `rm -r .venv` starts over.

PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install --no-compile
CORES := $(shell nproc 2>/dev/null || echo 2)
WORKERS := $(shell [ $(CORES) -lt 4 ] && echo $(CORES) || echo 4)
TORCH := $(shell grep '^torch==' requirements-engine.txt)
LOCKED := --require-hashes --no-deps --no-build-isolation
PACKAGES := $(if $(filter-out app bill data .venv/app.stamp,$(MAKECMDGOALS)),tools,packages)
SUPPLY := .venv/supply/bin
CLUSTER := $(shell grep '^torch-cluster==' requirements.txt)
WHEELS := $(shell sed -n 's/^--find-links //p' requirements.txt)
# Waiting threads sleep: on busy cores, spinning ones slow the network several times over.
export OMP_WAIT_POLICY := PASSIVE

.PHONY: app test bench lint data lock audit bill
.DELETE_ON_ERROR:

app: .venv/app.stamp
	@$(BIN)/python -c 'import sys, importlib.util as u; sys.exit(u.find_spec("torch_cluster") is None)' \
	|| echo "torch_cluster is not installed: matscipy finds the neighbours of atoms, the same ones."
	@echo "The dashboard opens on http://127.0.0.1:$(PORT) in some ten seconds (Ctrl+C ends it)."
	@exec $(BIN)/streamlit run app.py --server.port $(PORT) $(if $(LOCAL),-- --local)

test: .venv/dev.stamp
	@command -v chromium >/dev/null || { echo "The browser tests need Chromium: sudo apt-get install chromium"; exit 1; }
	@echo "All tests in $(WORKERS) processes, a file of tests in one; those in the browser in two."
	OMP_NUM_THREADS=1 $(BIN)/python $(MEASURE) -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder $(PYTEST)

bench: .venv/dev.stamp
	@set -e; for file in $$(grep -l __main__ benchmarks/*.py | grep -v -e ionic_ablation -e phonon_curve -e /modes -e /fuzz -e /kills -e /visitors); do \
	module=benchmarks.$$(basename $$file .py); echo "$$module"; $(BIN)/python -m $$module; done

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@echo "Checking types: a minute at first, seconds when little has changed."
	$(BIN)/mypy

lock: .venv/supply.stamp
	$(SUPPLY)/python -m supply.lock $(UPGRADE)

audit: .venv/supply.stamp
	@$(SUPPLY)/python -m supply.audit

bill: .venv/app.stamp
	$(BIN)/python -m supply.licences
	$(BIN)/python -m supply.bill

data: .venv/app.stamp
	@echo "Downloading the two source packages (about 40 MB) and rebuilding data/*.parquet: two minutes."
	$(BIN)/python data/build.py

# The environment, step by step; a stamp is newer than what it was made from, or its step runs again.

.venv/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": PYTHON=python3.12 make ..." if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv || { echo "Python could not make .venv: sudo apt-get install python3-venv"; exit 1; }
	@touch $@

# From the locks, each file by its SHA-256, the test tools in the same run where they are needed; what is never
# imported gets no byte code. What has to be built is built by the locked setuptools.
.venv/packages.stamp: supply/build.lock supply/app.lock supply/torch.lock | .venv/made.stamp
	@echo "[1/3] Installing $(TORCH) and the other packages: 400 MB to 3 GB, two to ten minutes."
	@$(PIP) $(LOCKED) -r supply/build.lock
	@$(PIP) $(LOCKED) -r supply/app.lock
	@$(BIN)/python -m supply.install_torch $(TORCH)
	@touch $@

.venv/tools.stamp: supply/build.lock supply/app.lock supply/torch.lock supply/dev.lock | .venv/made.stamp
	@echo "[1/3] Installing $(TORCH), the other packages and the test tools: 400 MB to 3 GB, two to ten minutes."
	@$(PIP) $(LOCKED) -r supply/build.lock
	@$(PIP) $(LOCKED) -r supply/app.lock -r supply/dev.lock
	@$(BIN)/python -m supply.install_torch $(TORCH)
	@touch .venv/packages.stamp $@

# torch_cluster is the only package that may have to be compiled, and the only one that may be missing.
# Its setup.py turns ninja off, so setuptools is told to compile its parts at once. The page of its wheels is asked
# only where it answers: pip would ask it over and over.
.venv/app.stamp: requirements.txt .venv/$(PACKAGES).stamp static/fetch.py
	@printf '[build_ext]\nparallel = $(CORES)\n' > .venv/build.cfg
	@echo "[2/3] Installing torch_cluster."
	@wheels=; if timeout 8 $(BIN)/python -c 'import urllib.request as u; u.urlopen("$(WHEELS)", timeout=5)' 2>/dev/null; \
	then wheels="--find-links $(WHEELS)"; \
	else echo "Its ready-made wheels cannot be reached: it is compiled, about 6 minutes on two cores, once."; fi; \
	MAX_JOBS=$(CORES) DIST_EXTRA_CONFIG=$(CURDIR)/.venv/build.cfg \
	$(BIN)/python -m supply.install_torch $(CLUSTER) --no-build-isolation $$wheels >.venv/torch_cluster.log 2>&1 \
	|| echo "torch_cluster could not be installed, for want of a C++ compiler perhaps: the dashboard does without it."
	@echo "[3/3] Fetching the 3D viewer."
	@$(BIN)/python static/fetch.py || true
	@touch $@

.venv/supply.stamp: supply/tools.lock | .venv/made.stamp
	@$(BIN)/python -m venv .venv/supply
	@$(SUPPLY)/python -m pip --quiet --disable-pip-version-check install --require-hashes --no-deps -r supply/tools.lock
	@touch $@

.venv/dev.stamp: .venv/app.stamp
	@touch $@
