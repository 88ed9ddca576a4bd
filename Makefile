# Two commands: « make demo » shows Bocage on real data, « make test » proves it. Only python3 >= 3.11 and make are needed.
PYTHON ?= python3
VENV   ?= .venv
SERVE  ?= 1
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test check lock clean

demo: $(VENV)/.installed
ifeq ($(SERVE),0)
	$(BIN)/bocage demo
else
	$(BIN)/bocage demo --weeks 3
	BOCAGE_DEMO=1 $(BIN)/bocage serve
endif

test: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict bocage/contract bocage/execution
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/pytest -n 2 --dist worksteal $(PYTEST)

lock: $(VENV)/.installed-dev
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url requirements/base.in --output-file requirements/base.lock
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url --constraint requirements/base.lock requirements/base.in requirements/dev.in --output-file requirements/dev.lock

clean:
	rm -rf $(VENV) var

# --no-compile: bytecode is written where it is used, not for every module of every library (80 MB saved).
$(VENV)/.installed: requirements/base.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Bocage needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --no-compile --require-hashes -r requirements/base.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements/dev.lock
	$(PIP) install --no-compile --require-hashes -r requirements/dev.lock
	touch $@
