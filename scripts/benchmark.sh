#!/usr/bin/env bash
# Measures reco-server beside redis-server in the same run: the same requests to both in turn, three
# rounds, medians. Prints the table and writes it into doc/performance.md.
#
#   scripts/benchmark.sh            the full run, about four minutes
#   SECONDS_EACH=0.5 scripts/benchmark.sh --print    a quick one that leaves the document alone
#   scripts/benchmark.sh --against PATH [--json]     in place of redis-server beside another build,
#                                   whose binaries are in the folder PATH: benchmark-against.sh
#
# RECO_BIN: the folder of the binaries; SECONDS_EACH: length of one measurement (default 2);
# ROUNDS: default 3.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
[[ ${1:-} == --against ]] && exec "$root/scripts/benchmark-against.sh" "${@:2}"
bin=${RECO_BIN:-$root/build/release/bin}
each=${SECONDS_EACH:-2}
rounds=${ROUNDS:-3}
document=$root/doc/performance.md
data=$root/examples/online-retail/interactions.csv.gz
write=yes
[[ ${1:-} == --print ]] && write=no

me=benchmark
source "$root/scripts/common.sh"
need "$bin/reco-server" "$bin/reco-admin" "$bin/reco-benchmark" redis-server

folder=$(mktemp -d "${TMPDIR:-/tmp}/reco-benchmark.XXXXXX")
results=$folder/results
pids=()

stop_servers() {
  stop "${pids[@]}"
  pids=()
}
trap 'stop_servers; rm -rf "$folder"' EXIT

start_servers() {
  local policy=$1
  reco_port=$(free_port 16500)
  "$bin/reco-server" --port "$reco_port" --dir "$folder/reco-$policy" --appendfsync "$policy" \
    >"$folder/reco-$policy.log" 2>&1 &
  pids+=($!)
  redis_port=$(free_port 16600)
  mkdir -p "$folder/redis-$policy"
  redis-server --port "$redis_port" --dir "$folder/redis-$policy" --save '' --appendonly yes \
    --appendfsync "$policy" >"$folder/redis-$policy.log" 2>&1 &
  pids+=($!)
  wait_for "$reco_port" "${pids[0]}" "$folder/reco-$policy.log"
  wait_for "$redis_port" "${pids[1]}" "$folder/redis-$policy.log"
}

# measure <row> <reco|redis> <pipeline> <options of reco-benchmark>: appends row|server|rate|p99.
measure() {
  local row=$1 server=$2 pipeline=$3 port=$reco_port figures
  shift 3
  [[ $server == redis ]] && port=$redis_port
  figures=$("$bin/reco-benchmark" -p "$port" --clients 50 --pipeline "$pipeline" --csv "$@" |
    fields rate p99-ms)
  echo "$row|$server|$figures" >>"$results"
  printf '  %-34s %s\n' "$row" "$server" >&2
}

# pair <row> <pipeline> <workload on reco> <workload on redis>: both in turn; the first alternates.
pair() {
  local row=$1 pipeline=$2 ours=$3 theirs=$4
  if ((round % 2)); then
    measure "$row" reco "$pipeline" --duration "$each" --workload "$ours"
    measure "$row" redis "$pipeline" --duration "$each" --workload "$theirs"
  else
    measure "$row" redis "$pipeline" --duration "$each" --workload "$theirs"
    measure "$row" reco "$pipeline" --duration "$each" --workload "$ours"
  fi
}

# One line a row in the order of first measurement: medians of both servers and their ratio.
summarise() {
  awk -F'|' "$awk_functions"'
    !($1 in seen) { seen[$1] = 1; order[++rows] = $1 }
    { rates[$1, $2] = rates[$1, $2] " " $3; tails[$1, $2] = tails[$1, $2] " " $4 }
    END {
      print "| work, 50 clients | RecoDB /s | redis-server /s | ratio | RecoDB p99 ms |" \
        " redis-server p99 ms |"
      print "|---|---:|---:|---:|---:|---:|"
      for (r = 1; r <= rows; r++) {
        row = order[r]
        ours = median(rates[row, "reco"])
        if ((row, "redis") in rates) {
          theirs = median(rates[row, "redis"])
          printf "| %s | %s | %s | %.2f | %.2f | %.2f |\n", row, thousands(ours), thousands(theirs),
            ours / theirs, median(tails[row, "reco"]), median(tails[row, "redis"])
        } else {
          printf "| %s | %s | | | %.2f | |\n", row, thousands(ours), median(tails[row, "reco"])
        }
      }
    }' "$results"
}

load_before=$(cut -d' ' -f1-3 /proc/loadavg)
start_servers everysec
echo "preparing 41,000 items, 100,000 users, 1,000,000 events, d=64" >&2
"$bin/reco-benchmark" -p "$reco_port" --prepare --workload ping --requests 1 >/dev/null
"$bin/reco-admin" -p "$reco_port" --quiet import retail "$data" --user user --item item \
  --time timestamp_ms >"$folder/import.txt"
"$bin/reco-admin" -p "$reco_port" --quiet retrain retail --wait >"$folder/training.txt"
for ((round = 1; round <= rounds; round++)); do
  echo "round $round of $rounds, appendfsync everysec" >&2
  for pipeline in 1 16; do
    pair "PING, P$pipeline" "$pipeline" ping ping
    pair "SET, P$pipeline" "$pipeline" set set
    pair "GET, P$pipeline" "$pipeline" get get
    measure "TOPK 20 of 41,000 items, P$pipeline" reco "$pipeline" --duration "$each" \
      --workload topk
  done
  for pipeline in 1 16; do
    pair "ADD / SET everysec, P$pipeline" "$pipeline" add set
  done
  measure "ADD, Online Retail replayed, P16" reco 16 --key retail --replay "$data"
done
stop_servers
start_servers always
"$bin/reco-benchmark" -p "$reco_port" --prepare --events 200000 --workload ping --requests 1 \
  >/dev/null
for ((round = 1; round <= rounds; round++)); do
  echo "round $round of $rounds, appendfsync always" >&2
  for pipeline in 1 16; do
    pair "SET always, P$pipeline" "$pipeline" set set
    pair "ADD / SET always, P$pipeline" "$pipeline" add set
  done
done
stop_servers
load_after=$(cut -d' ' -f1-3 /proc/loadavg)

table=$folder/table.md
{
  summarise
  echo
  echo "- Import of Online Retail by reco-admin: $(tail -n 1 "$folder/import.txt")."
  per_iteration=$(awk '/seconds-per-iteration/ { print $2 }' "$folder/training.txt")
  echo "- Training on it: $per_iteration s an iteration, d=64."
  machine "redis-server $(redis-server --version | sed 's/.*v=\([^ ]*\).*/\1/')"
  echo "- Medians of $rounds rounds of $each s, clients on the same machine. Load average" \
    "before $load_before, after $load_after."
} >"$table"
cat "$table"
if [[ $write == yes ]]; then
  write_table table "$table" "$document"
fi
