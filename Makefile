# The commands of this project. `make run` and `make test` need Python 3.11, make and git, and install the rest.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PIP := .venv/bin/python -m pip install --quiet --disable-pip-version-check
HASHED := $(PIP) --require-hashes --no-deps
# Each machine has its own build of torch (CPU, CUDA, Apple's) with files of its own, so these have versions and no hashes.
TORCH := torch torchvision triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti \
	nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand nvidia-cusolver \
	nvidia-cusparse nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink nvidia-nvshmem-cu13 nvidia-nvtx
LOCK := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command "make lock" -c constraints.txt $(TORCH:%=--no-emit-package %) pyproject.toml
WORKERS := --numprocesses auto --dist loadfile
EMOJI := .venv/emoji
SOURCES := bot core storage demo bench tests

.PHONY: run test check bench crash trust demo fuzz walls format clean

run: .venv/run  ## start the bot; with no token, the local chat with the demo video
	@.venv/bin/keaton run

test: .venv/dev browser lint  ## all that must hold
	.venv/bin/python -m pytest $(WORKERS)

check: .venv/dev lint  ## the fast part of it
	.venv/bin/python -m pytest -q $(WORKERS) -m "not slow"

.PHONY: lint browser
lint: .venv/dev
	.venv/bin/ruff format --check --quiet $(SOURCES)
	.venv/bin/ruff check --quiet $(SOURCES)
	.venv/bin/mypy

format: .venv/dev
	.venv/bin/ruff format $(SOURCES)
	.venv/bin/ruff check --fix $(SOURCES)

fuzz: .venv/dev  ## feed the decoder damaged videos for half an hour or so; VIDEOS=200 for fewer
	.venv/bin/python -m tests.traps.fuzz --videos $(or $(VIDEOS),2000)

crash: .venv/dev  ## kill Keaton at a hundred random moments, and look what is lost: nothing; KILLS=20 for fewer
	.venv/bin/python -m tests.crash --kills $(or $(KILLS),100) --seed $(or $(SEED),1)

walls: .venv/dev  ## 10,000 random steps against the model of who may see what; STEPS=1000 for fewer
	.venv/bin/python -m tests.walls.long --steps $(or $(STEPS),10000)

bench: .venv/dev  ## what it costs, in a quarter of an hour; each line of bench/every.py can be run alone
	.venv/bin/python -m bench.every

trust: .venv/dev  ## how often verdicts are right, what each lever is worth; fetches Debian's emoji font into CACHE
	.venv/bin/python -m bench.verdict $(or $(CACHE),bench/results/emoji)
	.venv/bin/python -m bench.levers $(or $(CACHE),bench/results/emoji)

demo: .venv/dev  ## remake the video and the figures of demo/ (its README tells how the model is trained)
	.venv/bin/python -m demo.film $(EMOJI)
	.venv/bin/python -m demo.evaluate $(EMOJI)

browser:
	@sh tests/get_browser.sh

.venv/python:
	@test -n "$(PYTHON)" || { echo "Keaton needs Python 3.11 or newer; none was found." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Keaton needs Python 3.11 or newer; make PYTHON=/path/to/python names one." >&2; exit 1; }
	@echo "Making .venv (once; a minute or more: torch is large)"
	@"$(PYTHON)" -m venv .venv
	@touch $@

# What was built is checked against the hashes; then torch; then Keaton itself, whose build needs nothing more.
.venv/run: .venv/python pyproject.toml constraints.txt requirements.txt
	@$(HASHED) -r requirements.txt
	@$(PIP) -c constraints.txt torch torchvision
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: .venv/run requirements-dev.txt
	@$(HASHED) -r requirements-dev.txt
	@touch $@

.PHONY: lock update-fetchers tested-fetchers
lock: .venv/python  ## write requirements*.txt anew, with the hashes of all files, after a change of constraints.txt
	@$(PIP) -c constraints.txt uv
	@$(LOCK) -o requirements.txt
	@$(LOCK) --extra dev -o requirements-dev.txt

update-fetchers: .venv/run  ## go on to the newest yt-dlp and deno before they were tested here; tested-fetchers goes back
	@echo "pip may remark that keaton wants an older yt-dlp: that is the tested one"
	@$(PIP) --upgrade "yt-dlp[default]" yt-dlp-ejs deno
	@.venv/bin/python -m pip list --disable-pip-version-check | grep -iE "^(yt-dlp|deno)"
	@test ! -e .venv/dev || .venv/bin/python -m pytest -q tests/core/engines/test_fetch.py tests/core/engines/test_guard.py \
		tests/traps/test_sites.py tests/traps/test_narrow_fetching.py tests/traps/test_traps_in_the_chat.py

tested-fetchers: .venv/run  ## back to the versions that were tested
	@$(HASHED) -r requirements.txt

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
