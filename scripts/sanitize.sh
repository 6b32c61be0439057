#!/usr/bin/env bash
# Builds the unit tests under sanitizers and runs them.
# usage: scripts/sanitize.sh asan|tsan
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
jobs=$(nproc)
run=(ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$jobs")

cmake --preset "$preset" >/dev/null
case "$preset" in
  asan)
    cmake --build --preset asan -j "$jobs" --target unit_tests
    export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
    export UBSAN_OPTIONS=print_stacktrace=1
    "${run[@]}" -L unit
    ;;
  tsan)
    # The layers that own threads or are called from several.
    cmake --build --preset tsan -j "$jobs" --target wal_test engine_test api_test
    # Lock orders: hnswlib takes a node's lock and its entry point's in both, harmless with the one
    # thread that inserts, and the reports come without a stack to suppress them by.
    export TSAN_OPTIONS="halt_on_error=1:detect_deadlocks=0:suppressions=$PWD/tests/tsan.supp"
    "${run[@]}" -L unit -R '^(wal|engine|api)[.]'
    ;;
  *)
    echo "sanitize.sh: asan or tsan, not '$preset'" >&2
    exit 2
    ;;
esac
