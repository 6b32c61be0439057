#!/usr/bin/env bash
# Where the processor time of RECO.ADD goes: replays Online Retail at 50 clients, pipeline 16, into
# a trained collection under `perf record`, and prints the shares as a table.
#
#   scripts/profile-add.sh          needs perf (Debian: linux-perf) and, after: make build
#
# RECO_BIN: the folder of the binaries.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
bin=${RECO_BIN:-$root/build/release/bin}
data=$root/examples/online-retail/interactions.csv.gz
me=profile-add
source "$root/scripts/common.sh"
need "$bin/reco-server" "$bin/reco-benchmark" perf

folder=$(mktemp -d "${TMPDIR:-/tmp}/reco-profile.XXXXXX")
server=
# shellcheck disable=SC2086  # it may be empty
trap 'stop $server; rm -rf "$folder"' EXIT

port=$(free_port 16390)
"$bin/reco-server" --port "$port" --dir "$folder/data" >"$folder/server.log" 2>&1 &
server=$!
wait_for "$port" "$server" "$folder/server.log"
"$bin/reco-admin" -p "$port" import retail "$data" --user user --item item >/dev/null 2>&1
"$bin/reco-admin" -p "$port" retrain retail --wait >/dev/null 2>&1
perf record -q -o "$folder/perf.data" -F 999 -p "$server" -- \
  "$bin/reco-benchmark" -p "$port" -P 16 -w add --key retail --replay "$data" --csv \
  >"$folder/rate.csv" 2>"$folder/perf.log"
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i }
  NR == 2 { printf "%d events/s while profiled\n\n", $column["rate"] }' "$folder/rate.csv"
perf report -q -i "$folder/perf.data" --sort comm,dso,symbol --percent-limit 0 \
  -F overhead,comm,dso,symbol -t '|' 2>/dev/null | awk -F'|' '
  function trim(text) { gsub(/^ +| +$/, "", text); return text }
  NF >= 4 {
    share = $1 + 0; thread = trim($2); binary = trim($3); symbol = trim($4)
    if (thread ~ /^rocksdb/) part = "RocksDB: flush and compaction"
    else if (thread == "maintenance") part = "checkpoint: pairs, vectors, counters into RocksDB"
    else if (thread != "io") part = "other threads"
    else if (binary ~ /rocksdb/) part = "RocksDB: the log"
    else if (binary ~ /kernel|vdso/) part = "kernel: sockets, scheduling"
    else if (symbol ~ /reco::model::Gram/) part = "fold-in: Gram matrices"
    else if (symbol ~ /reco::model::/) part = "fold-in: solving both rows"
    else if (symbol ~ /reco::index::/) part = "item index"
    else if (symbol ~ /reco::engine::/) part = "engine: rows, dictionaries, counters"
    else if (symbol ~ /reco::api::|boost::asio/) part = "protocol: parsing, dispatch, replies"
    else if (symbol ~ /reco::(wal|store|format)::|flatbuffers/) part = "event record and staging"
    else part = "C library: copying, comparing, allocating"
    sum[part] += share; total += share
  }
  END {
    printf "%-52s %s\n", "part", "share of processor time"
    for (part in sum) printf "%-52s %5.1f%%\n", part, 100 * sum[part] / total | "sort -t\"|\" -k1,1"
    close("sort -t\"|\" -k1,1")
  }'
