# Shortcuts; `npm run` lists the same steps for people without make.
.PHONY: demo test gearman-up gearman-down integ

SERVERS ?= 127.0.0.1:4730,127.0.0.1:4731

node_modules: package-lock.json
	npm ci
	touch node_modules

demo: node_modules
	npm run demo

test: node_modules
	npm test

# Two real job servers in containers, on the ports that SERVERS names.
gearman-up:
	docker compose up --detach --wait

gearman-down:
	docker compose down

# The examples against the real servers in SERVERS, such as those of gearman-up.
integ: node_modules
	GEARMAN_TEST_SERVERS=$(SERVERS) npx vitest run test/integ.test.ts
