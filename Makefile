# Two commands on a fresh machine: `make demo` and `make test`. Each does its own set-up.

PYTHON := .venv/bin/python

.PHONY: demo test fast lint slurm slurm-down clean

demo: ## install, then collect, score, embed, train and reduce on this machine
	@./install.sh demo
	@$(PYTHON) launch/suite.py pool=demo

test: ## install, then every test, those on a real SLURM too
	@./install.sh dev
	@if [ "$$(id -u)" = 0 ]; then ./install.sh slurm; fi
	@$(MAKE) --no-print-directory lint
	$(PYTHON) -m pytest

fast: ## the everyday tests
	@./install.sh dev
	$(PYTHON) -m pytest -n auto -m "not slow"

lint: ## linter, formatter and type checker
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy configs inference jobs launch routers scoring store

slurm: ## a real SLURM on this machine, four emulated nodes of eight GPUs; needs root
	@./install.sh slurm
	@$(PYTHON) tests/slurm/cluster.py up

slurm-down: ## stop it and remove its files
	@$(PYTHON) tests/slurm/cluster.py down

clean: ## remove what the demo made
	rm -rf results
