# Axiam: every command a developer needs. `make` alone explains them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test check web models fuzz-api bench bench-cable bench-face bench-tracker

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: models web ## Build everything and serve on http://127.0.0.1:3000 with a demo site, data in ./data
	@scripts/need cargo cc
	@cargo build --release --package server
	@exec "$${CARGO_TARGET_DIR:-target}/release/axiam" serve --demo

test: models web web/e2e/node_modules/.package-lock.json ## Run every test, on SQLite, PostgreSQL and Redis
	@scripts/test

check: web ## Formatting, lints and docs of all Rust code, licences and sources of dependencies
	@scripts/check

fuzz-api: models web ## Generated requests to every route, each answer held to the contract (EXAMPLES=500 SEED=7 for more)
	@scripts/fuzz-api

bench: bench-face bench-cable bench-tracker ## Run every benchmark

bench-cable: ## Measure the cable beside Rails' Action Cable, on loopback
	@scripts/bench-cable

bench-tracker: models web ## Measure the login tracker at a million attempts, on SQLite and PostgreSQL
	@scripts/bench-tracker

bench-face: models bench/face/node_modules/.package-lock.json ## From photo to template, beside npm's face-api, face_recognition and ONNX Runtime
	@scripts/bench-face

web: models web/node_modules/.package-lock.json ## Bundle what browsers get into web/build
	@scripts/need node
	@guide=$$(scripts/guide) && AXIAM_GUIDE="$$guide" npm run --silent build --prefix web

models: models/node_modules/.package-lock.json ## Build the default face pack into models/build
	@scripts/need node
	@node models/build.mjs

# Packages are installed anew only when their lock file changed.
%/node_modules/.package-lock.json: %/package-lock.json
	@scripts/need node cargo cc
	npm ci --prefix $* --ignore-scripts --no-audit --no-fund
	@touch $@
