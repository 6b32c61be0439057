#!/usr/bin/env bash
# Measures what clients wait for while another client runs a heavy command over and over: PING and
# RECO.TOPK at 500 requests a second each, from 5 connections each, in a collection that the heavy
# command does not change. Prints a table; exits with 1 when p99 is above 5 ms or p99.9 above 20 ms.
#
#   scripts/benchmark-bystanders.sh                     three rounds of 10 s each, 8 minutes
#   scripts/benchmark-bystanders.sh --cases MADD,DEL    the cases whose name has one of these
#   scripts/benchmark-bystanders.sh --seconds 3 --rounds 1         a quick one
#
# RECO_BIN: the folder of the binaries.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
exec python3 "$root/bench/bystanders.py" --bin "${RECO_BIN:-$root/build/release/bin}" "$@"
