# Every target works from a fresh clone: it makes .venv first if there is none.
PYTHON ?= python3
BIN = .venv/bin
SPIRAL = $(BIN)/spiral-sweep
DEMO = runs/quickstart
SLICE = runs/paper-slice

SOAK_MINUTES ?= 20

.PHONY: install demo fidelity paper-slice test test-slow test-all test-gpu gpu browser soak \
  lint types bench notebooks gallery docs golden dist release-check clean

install: .venv/installed

.venv/installed: setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "needs Python 3.11+"'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet -c constraints.txt -e '.[all,dev,test,notebooks,browser,docs]'
	touch $@

demo: install
	$(SPIRAL) plan quickstart
	$(SPIRAL) launch quickstart --out $(DEMO)
	$(SPIRAL) compare $(DEMO)
	$(SPIRAL) plot accuracy $(DEMO) -o runs/accuracy.png
	$(SPIRAL) plot pairs $(DEMO) --keep 20 -o runs/pairs.png
	$(SPIRAL) view $(DEMO) -o runs/view.html
	@echo "rows: $(DEMO)   pictures: runs/accuracy.png runs/pairs.png"
	@echo "to play with (open in a browser): $(CURDIR)/runs/view.html"

paper-slice: install
	$(SPIRAL) launch paper/slice --out $(SLICE)
	$(SPIRAL) status $(SLICE)

fidelity: install
	$(SPIRAL) launch fidelity --out runs/fidelity
	$(SPIRAL) compare runs/fidelity --by fidelity,method,width

# A worker for each core takes a file at a time: the longest, then in the order of names.
# They share the cores and start many processes: one thread each, and bytecode is kept.
PYTEST = env -u PYTHONDONTWRITEBYTECODE OMP_NUM_THREADS=1 \
  $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
SLOW = slow or browser

test: install
	$(PYTEST) -m "not (benchmark or $(SLOW))"

test-slow: install
	$(PYTEST) -m "not benchmark and ($(SLOW))"

test-all: install
	$(MAKE) test
	$(MAKE) test-slow

# Engine laws on every device; without CUDA all of them are skipped, with the reason.
test-gpu: install
	$(PYTEST) -n 4 -m gpu tests/engines

# Everything about one card in under eight minutes, into benchmarks/gpu/. It installs
# nothing: python3 is taken where there is no .venv, as on a machine lent for an hour.
gpu:
	$(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) -m tests.gpu

# Chromium for the tests of pages; only root may install Debian's package.
GET_CHROMIUM = apt-get update && apt-get install -y --no-install-recommends chromium

browser:
	@if command -v chromium || command -v chromium-browser || \
	  command -v google-chrome || [ -x "$$CHROMIUM" ]; then echo "Chromium is there"; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get; then \
	  export DEBIAN_FRONTEND=noninteractive; $(GET_CHROMIUM); \
	else echo "no Chromium, and this user cannot install it; as root: $(GET_CHROMIUM)"; \
	  echo "or name one that is elsewhere: export CHROMIUM=/path/to/chromium"; fi

soak: install
	$(BIN)/python -m tests.soak --minutes $(SOAK_MINUTES) $(SOAK)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: install
	$(BIN)/mypy

bench: install
	$(SPIRAL) bench --full -o benchmarks/last.json
	$(BIN)/python -m pytest -m benchmark -s tests/benchmarks

notebooks: install
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.notebooks $(NOTEBOOKS)

# Links to it open a network: gallery.html#a=gmp
GALLERY ?= runs/gallery.html

gallery: install
	mkdir -p $(dir $(GALLERY))
	$(SPIRAL) view gallery --frontier -o $(GALLERY)

# The warning that is left out is about a version of MkDocs that is not installed.
docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "the site (open in a browser): $(CURDIR)/build/site/index.html"

golden: install
	$(BIN)/python -m tests.golden.regenerate

dist: install
	rm -rf dist
	$(BIN)/python -m build --quiet --outdir dist
	$(BIN)/twine check --strict dist/*
	$(BIN)/python -m tests.dist dist

# Last, what is generated is generated again: tables, the description of the data, the
# list of licences. All of it must be what is committed.
release-check: install
	@test -z "$$(git status --porcelain)" || \
	  { git status --short; echo "commit or remove these first"; exit 1; }
	$(MAKE) lint types browser
	CI=true $(MAKE) test-all docs dist
	$(BIN)/python -m tests.dist dist --fresh
	$(SPIRAL) frontier certify --verify
	for turns in 1.5 2.5 3; do \
	  $(SPIRAL) frontier certify --verify --task "cubist(turns=$$turns)" || exit 1; done
	$(MAKE) golden
	git diff --exit-code
	@echo "ready: $$($(SPIRAL) --version)"

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache \
	  .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
