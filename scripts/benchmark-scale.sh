#!/usr/bin/env bash
# Measures how the cost of a write behaves as data grow: a server's rate, memory, disk and row-cache
# misses in steps of a twentieth of the events, beside RocksDB alone writing the same bytes.
#
#   scripts/benchmark-scale.sh                  4M events, 200k users, 100k items; 8 minutes at most
#   scripts/benchmark-scale.sh --full           20M events, 1M users, 100k items, block cache 128
#                                               MiB, no limit of time, and a fifth case
#   scripts/benchmark-scale.sh --against PATH   PATH: the folder of another build's binaries; the
#                                               same with it in turn, and ratios; twice the time
#   scripts/benchmark-scale.sh --json           prints JSON in place of the tables
#   scripts/benchmark-scale.sh --cases 1,4      these only; 4 needs what 3 leaves, and runs it, too
#   EVENTS=200000 USERS=20000 scripts/benchmark-scale.sh     a quick one
#
# The cases; the row cache is a quarter of what the rows come to, except in case 3:
#   1  no model yet, each event of a random user
#   2  no model yet, ten events in a row of one user
#   3  a quarter of the events, a training, then the rest; all rows fit the cache
#   4  goes on from case 3, started again with the small cache: a quarter of the events more
#   5  as case 3 with the small cache from the start and FOLDIN OFF (--full)
# Behind case 1 its data are trained, and its folder is stopped and started again.
#
# RECO_BIN: the folder of this build's binaries; EVENTS, USERS, ITEMS; CASE_SECONDS: after so many a
# case, or the writing by RocksDB alone, ends within its step (default 60, --full none); CONNECTIONS
# and PIPELINE of the client (default 4 each). --users-by-power-law draws users so, too.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
exec python3 "$root/bench/scale.py" --bin "${RECO_BIN:-$root/build/release/bin}" "$@"
