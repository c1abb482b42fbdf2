# Everything a contributor or an operator does here, by one word each.

.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

PORT ?= 8000
DATA_DIR ?= data
VENV := .venv
PY := $(VENV)/bin/python
RUN := $(VENV)/.installed-run
DEV := $(VENV)/.installed-dev
RIVALS := $(VENV)/.installed-bench
NODE_TOOLS := node_modules/.installed
STEPS := lint types checks pytest servers
NEW_KEY := $(PY) -c 'import secrets; print(secrets.token_urlsafe(50))'
# A production's environment with a folder of its own, gone with the shell.
SCRATCH := export DATA_DIR="$$(mktemp -d)" HTTPS=on DEBUG=off \
	ALLOWED_HOSTS=faq.example.com \
	SECRET_KEY="$$($(NEW_KEY))"; \
	trap 'rm -rf "$$DATA_DIR"' EXIT;
CHROMIUM := for name in chromium chromium-browser google-chrome none; do \
	command -v $$name >/dev/null && break; done; [ $$name != none ]
FIREFOX := command -v firefox-esr >/dev/null
NODE := node -e '[a, b] = process.versions.node.split("."); \
	process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null && \
	command -v npm >/dev/null
WEBKIT := command -v WebKitWebDriver >/dev/null && command -v Xvfb >/dev/null
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help venv run test browsers lint format types checks pytest servers docs bench lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

# A venv whose Python has left is no venv, whatever the stamps say.
$(shell [ -x $(PY) ] || rm -rf $(VENV))
$(PY):
	@for python in python3.11 python3; do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  echo "venv: made with $$($$python --version)"; \
	  $$python -m venv --clear $(VENV) && exit 0; \
	  rm -rf $(VENV); exit 1; \
	done; \
	echo "Python 3.11 or newer is needed; found: $$(python3 --version 2>&1)" >&2; exit 1

# Two stamps: someone who only runs the site needs no test tools.
# pip and not uv, though uv is twice as fast: pip honours the user's mirror.
# setuptools goes: jieba would load its pkg_resources, which is slow and deprecated.
$(RUN): requirements.txt | $(PY)
	@echo "venv: installing what the site runs on (half a minute, once)"
	@$(PY) -m pip install -q -r requirements.txt
	@$(PY) -m pip uninstall -qqq -y setuptools
	@touch $@

$(DEV): requirements-dev.txt $(RUN)
	@echo "venv: installing the test tools"
	@$(PY) -m pip install -q -r requirements-dev.txt
	@touch $@

# The engines to compare with: neither the site nor its tests need them.
$(RIVALS): requirements-bench.txt $(DEV)
	@echo "venv: installing the engines to compare with"
	@$(PY) -m pip install -q -r requirements-bench.txt
	@touch $@

# Linter, formatter and bundler of scripts and styles. The site runs without
# them; a machine without Node.js, or one that is offline, goes on without them.
$(NODE_TOOLS): package.json package-lock.json
	@mkdir -p node_modules; \
	if ! { $(NODE); }; then \
	  echo "node: Node.js 20.19 or newer with npm is not installed"; \
	elif npm ci --silent --no-progress; then touch $@; \
	else echo "node: the packages of package.json could not be installed"; fi

venv: $(DEV) ## make .venv with everything, or bring it up to date

# The API's pages are Swagger's; compressing unused Redoc would take 9 seconds.
run: export PORT := $(or $(PORT),8000)
run: export DATA_DIR := $(or $(DATA_DIR),data)
run: export HTTPS ?= off
run: $(RUN) ## start the site; PORT, DATA_DIR and DEMO=off are honoured
	@[ -n "$$SECRET_KEY$$SECRET_KEY_FILE" ] || [ -s "$$DATA_DIR/secret_key" ] || { \
	  umask 077; mkdir -p "$$DATA_DIR"; key="$$DATA_DIR/secret_key"; \
	  $(NEW_KEY) > "$$key.part" && mv "$$key.part" "$$key"; }
	@$(PY) manage.py kb_setup --port "$$PORT" $(if $(filter off,$(DEMO)),--no-demo)
	@manifest="$$DATA_DIR/static/staticfiles.json"; \
	if [ ! -e "$$manifest" ] || [ -n "$$(find static requirements.txt \
	    config/settings.py -newer "$$manifest" -print -quit)" ]; then \
	  echo "正在准备样式和脚本，约半分钟……"; \
	  $(PY) manage.py collectstatic --noinput -v 0 -i redoc || exit 1; \
	fi
	@[ -n "$$WEB_CONCURRENCY" ] || unset WEB_CONCURRENCY; \
	exec $(PY) -m gunicorn -c config/gunicorn.py config.wsgi

# Every step runs, so that one look at the end tells all that is wrong.
test: $(DEV) browsers ## lint, types, checks and the whole suite
	@failed=; \
	for step in $(STEPS); do \
	  echo "== $$step"; $(MAKE) -s $$step || failed="$$failed $$step"; \
	done; \
	echo "== summary"; \
	if ! { $(CHROMIUM); }; then \
	  echo "not run: browser tests, because Chromium is not installed"; \
	fi; \
	if ! { $(NODE); }; then \
	  echo "not run: lint and unit tests of scripts, because Node.js 20.19 or newer with npm is not installed"; \
	elif [ ! -e $(NODE_TOOLS) ]; then \
	  echo "not run: lint of scripts and styles, because npm could not install its packages"; \
	fi; \
	if ! { $(FIREFOX); }; then \
	  echo "not run: tests in Firefox, because firefox-esr is not installed"; \
	fi; \
	if ! { $(WEBKIT); }; then \
	  echo "not run: tests in WebKit, because webkit2gtk-driver and xvfb are not installed"; \
	fi; \
	[ -z "$$failed" ] || { echo "failed:$$failed"; exit 1; }; \
	echo "passed: $(STEPS)"

browsers:
	@packages=; \
	{ $(CHROMIUM); } || packages="$$packages chromium fonts-noto-cjk"; \
	{ $(FIREFOX); } || packages="$$packages firefox-esr"; \
	{ $(WEBKIT); } || packages="$$packages webkit2gtk-driver xvfb"; \
	[ -n "$$packages" ] || exit 0; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
	if [ -e /etc/debian_version ] && $$sudo true 2>/dev/null; then \
	  echo "== browsers: installing$$packages from Debian for the browser tests"; \
	  export DEBIAN_FRONTEND=noninteractive; \
	  for try in 1 2; do \
	    $$sudo apt-get install -qq -y --no-install-recommends \
	      $$packages >/dev/null 2>&1 && exit 0; \
	    $$sudo apt-get update -qq || break; \
	  done; \
	fi; \
	echo "== browsers: not all are here and they could not be installed;" \
	  "to run all browser tests, install$$packages yourself"

lint: $(DEV) $(NODE_TOOLS) ## style of Python, templates, scripts and stylesheets
	@$(PY) -m ruff check -q --output-format concise
	@$(PY) -m ruff format -q --check
	@$(PY) -m djlint templates --lint --quiet
	@[ ! -e $(NODE_TOOLS) ] || npm run --silent lint

format: $(DEV) $(NODE_TOOLS) ## mend what can be mended
	@$(PY) -m ruff check -q --fix || true
	@$(PY) -m ruff format
	@[ ! -e $(NODE_TOOLS) ] || npm run --silent format

types: $(DEV) ## mypy, strict
	@$(SCRATCH) $(PY) -m mypy

checks: $(DEV) ## migrations are complete, settings fit for production
	@$(SCRATCH) $(PY) manage.py makemigrations --check --dry-run && \
	$(PY) manage.py kb_setup --no-demo >/dev/null && \
	$(PY) manage.py collectstatic --noinput -v 0 -i redoc && \
	$(PY) manage.py check --deploy --fail-level WARNING

pytest: $(DEV) ## the suite alone, on every core; ARGS are passed on
	@$(PY) -m pytest -n auto --dist loadgroup $(ARGS)

servers: $(DEV) ## what a database may do its own way, on PostgreSQL and Redis
	@$(PY) -m tests.servers -n auto

docs: $(RUN) ## write docs/permissions.md anew from the table of roles
	@$(SCRATCH) $(PY) manage.py kb_permissions > docs/permissions.md.part && \
	mv docs/permissions.md.part docs/permissions.md

bench: $(RIVALS) ## speed and relevance, measured; ARGS=--quick, --full, parts
	@$(PY) -m bench $(ARGS)

lock: $(DEV) ## pin anew what the *.in files ask for
	@for name in requirements requirements-dev requirements-bench; do \
	  $(PY) -m uv pip compile -q --universal --python-version 3.11 --upgrade \
	    --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	    $$name.in -o $$name.txt || exit 1; \
	done

clean: ## remove the venv, node_modules and every cache; data stays
	@rm -rf $(VENV) node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
