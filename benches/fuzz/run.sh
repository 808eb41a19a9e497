#!/usr/bin/env bash
# Builds a fuzz target and runs it on its seeds: run.sh TARGET SECONDS [libFuzzer options]. A crash leaves its input in target/fuzz/found.
#
# By hand rather than through cargo-fuzz, which wants a nightly compiler for its sanitisers. There is no unsafe code to sanitise here, and
# coverage, which libFuzzer steers by, comes from a pass that a stable compiler has too.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${1:?run.sh TARGET SECONDS}
seconds=${2:?run.sh TARGET SECONDS}
shift 2
out=${CARGO_TARGET_DIR:-$root/target}/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')

# The versions that the router is built from; cargo adds libfuzzer-sys.
cp "$root/Cargo.lock" "$here/Cargo.lock"
flags=(
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
  --cfg fuzzing
)
# With --target the flags leave build scripts and macros alone.
RUSTFLAGS="${flags[*]}" CARGO_TARGET_DIR=$out cargo build --quiet --release --manifest-path "$here/Cargo.toml" --target "$host" --bin "$target"

corpus=$out/corpus/$target
mkdir -p "$corpus" "$out/found"
"$out/$host/release/$target" "$corpus" "$here/seeds/$target" -max_total_time="$seconds" -artifact_prefix="$out/found/$target-" \
  -max_len=65536 -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 "$@"
