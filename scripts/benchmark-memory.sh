#!/usr/bin/env bash
# Measures the memory of a server by part, beside what its vectors need at least. Prints the tables
# and writes them into doc/performance.md; exits with 1 when the goal is missed.
#
#   scripts/benchmark-memory.sh             both sizes, about nine minutes
#   scripts/benchmark-memory.sh --print     the same, leaves the document alone
#   scripts/benchmark-memory.sh --print small|large     one of them
#
# RECO_BIN: the folder of the binaries.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
exec python3 "$root/bench/memory.py" --bin "${RECO_BIN:-$root/build/release/bin}" "$@"
