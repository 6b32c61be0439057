#!/usr/bin/env bash
# Runs every fuzz target with libFuzzer from its corpus. Finds go to build/fuzz/<target>.
# usage: scripts/fuzz.sh [SECONDS_EACH]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target fuzz_targets
for source in fuzz/*_fuzz.cc; do
  target=$(basename "$source" .cc)
  mkdir -p "build/fuzz/$target"
  echo "== $target, $seconds s"
  "build/fuzz/bin/$target" -max_total_time="$seconds" -print_final_stats=1 \
    -artifact_prefix="build/fuzz/$target/" "build/fuzz/$target" "fuzz/corpus/$target"
done
