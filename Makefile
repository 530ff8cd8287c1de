# Everything a person types. `make help` lists the targets; each is documented beside its name.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-full bench check clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: ## Node modules, build, lab tools, Temporal (all cached; done by the others when needed)
	@./ciliate --version >/dev/null
	@node scripts/prepare.mjs

demo: ## Migrate a 6-node lab cluster, with live progress; KEEP=1 leaves it all up
	@./ciliate demo $(if $(filter 1 yes true,$(KEEP)),--keep)

test: ## Types, lint, unit, workflow, replay and lab tests; the last line is "N passed, N failed"
	@./ciliate --version >/dev/null
	@node scripts/test.mjs

test-full: ## The whole matrices (an hour), written to docs/results/
	@./ciliate --version >/dev/null
	@CILIATE_TEST_FULL=1 node scripts/test.mjs unit full

bench: ## Time a node, memory of the worker, other node rollers (an hour), written to docs/results/
	@./ciliate --version >/dev/null
	@node scripts/test.mjs bench

check: ## Types and lint only
	@./ciliate --version >/dev/null
	@node scripts/test.mjs types lint

clean: ## Removes what was built in this checkout (caches outside it stay)
	rm -rf dist node_modules/.cache ciliate-report-*
