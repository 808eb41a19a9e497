# Each target does its own set-up on a fresh Debian or Ubuntu machine with Rust, a C compiler, make and Python 3 with pip.
.PHONY: setup demo test client bench accuracy weights peers fuzz accept drills

# nextest runs each test in a process of its own and shows slow ones; plain cargo test works as well.
RUN_TESTS := $(shell if cargo nextest --version >/dev/null 2>&1; then echo "cargo nextest run --no-fail-fast"; else echo "cargo test --no-fail-fast"; fi)
LEFT_OUT := target/left-out.txt
# What `make peers` compares on: folders below TOOL_ROUTER_DATA, each with its split.
PEER_SETS ?= livemcpbench:odd azure-mcp mcp-bench restbench toolret-toolink functionchat-ko metatool:test seal-tools:test_out_domain

# Fetches the pinned ONNX Runtime library into .runtime/.
setup:
	@bash models/build/fetch_runtime.sh

# Starts a router with the bundled catalogue, runs real selections, and leaves it running until Ctrl-C.
demo: setup
	@cargo build --release
	@bash examples/demo.sh

# Every test that needs nothing more than the set-up; names those it left out.
test: setup
	@mkdir -p target && rm -f $(LEFT_OUT)
	@$(RUN_TESTS); status=$$?; \
	if [ -s $(LEFT_OUT) ]; then echo "left out:"; sort -u $(LEFT_OUT) | sed 's/^/  /'; else echo "no test was left out"; fi; \
	exit $$status

# The Python client: its types, its tests against the built router, its examples.
client: setup
	@cargo build --release
	@bash clients/python/check.sh

# Measures: selections, the running service, the engines. benches/README.md says how to read it. Real tools need TOOL_ROUTER_DATA.
bench: setup
	@cargo bench --bench select --bench service --bench telemetry --bench engines --bench index --bench pack

# The router beside its peers on the labelled sets of TOOL_ROUTER_DATA, with the same model file. PEER_ARGS="--peer cosine --max-queries 60".
peers: setup
	@: $${TOOL_ROUTER_DATA:?set it to the folder that holds the labelled sets}
	@cargo build --release
	@bash benches/peers/run.sh --set $(PEER_SETS) $(PEER_ARGS)

# How well it finds, on the public sets in TOOL_ROUTER_DATA: tables, and a page in target/accuracy. Half an hour.
accuracy: setup
	@cargo build --release
	@bash benches/accuracy.sh

# Fits the ranking weights and confidence of the published model, models/minilm-l6-int8, on the splits that are for fitting.
weights: setup
	@cargo build --release
	@bash benches/weights.sh

# Every fuzz target for FUZZ_SECONDS, ten minutes unless set; stops at the first crash. Wants a C++ compiler.
FUZZ_SECONDS ?= 600
fuzz:
	@for target in benches/fuzz/targets/*.rs; do \
	  bash benches/fuzz/run.sh "$$(basename "$$target" .rs)" $(FUZZ_SECONDS) || exit 1; \
	done

# The long drills: hundreds of kills on both stores, replicas at full length, a hundred thousand random requests under their caps, property
# tests at a hundred times their usual number, fuzzing, a catalogue of a million tools. `make drills` is the part about replicas.
accept: setup drills
	@KILL_ROUNDS=300 CAP_REQUESTS=100000 PROPTEST_CASES=20000 $(RUN_TESTS)
	@$(MAKE) --no-print-directory fuzz
	@BENCH_LONG=1 cargo bench --bench engines --bench telemetry

# Kills, convergence, outage, rolling restart, lost replica, at the length and with the numbers that the README quotes. Optimised, because
# they are about time. Needs PostgreSQL and HAProxy. Half an hour.
DRILLS := test(drills::) + test(histories::) + test(outage::a_router_that_is_cut_off) + test(crash::thirty_kills)
drills:
	@DRILLS=full CUT_SECONDS=60 POSTGRES_KILL_ROUNDS=100 KILL_ROUNDS=100 \
	cargo nextest run --release --no-default-features --test it --no-capture --no-fail-fast --filterset '$(DRILLS)'
