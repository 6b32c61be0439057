#!/usr/bin/env bash
# Measures latency at a set rate over the socket: lists alone, beside writes and beside trainings,
# and a list that must reflect the write before it. Against a server of its own, in several rounds
# whose order alternates, medians. Prints the tables and writes them into doc/performance.md; exits
# with 1 when a goal is missed.
#
#   scripts/benchmark-serving.sh            the full run, about six minutes
#   scripts/benchmark-serving.sh --print    leaves the document alone
#   scripts/benchmark-serving.sh --json     the same, and prints JSON in place of the tables
#   SECONDS_EACH=5 ROUNDS=1 scripts/benchmark-serving.sh --print     a quick one
#
# RECO_BIN: the folder of the binaries; SECONDS_EACH: whole seconds of one measurement (default 20,
# two checkpoints at 1,000 writes a second); ROUNDS: default 3. One time slice of the scheduler, by
# which a training may delay a list, is taken for 4 ms, a tick at 250 Hz.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
bin=${RECO_BIN:-$root/build/release/bin}
each=${SECONDS_EACH:-20}
rounds=${ROUNDS:-3}
document=$root/doc/performance.md
output=${1:-write}

case $output in
  write | --print | --json) ;;
  *)
    echo "usage: scripts/benchmark-serving.sh [--print|--json]" >&2
    exit 2
    ;;
esac
me=benchmark-serving
source "$root/scripts/common.sh"
need "$bin/reco-server" "$bin/reco-admin" "$bin/reco-benchmark"

folder=$(mktemp -d "${TMPDIR:-/tmp}/reco-serving.XXXXXX")
results=$folder/results
beside=
server=

# shellcheck disable=SC2086  # either may be empty
trap 'stop $beside $server; rm -rf "$folder"' EXIT

start_server() {
  port=$(free_port 16700)
  "$bin/reco-server" --port "$port" --dir "$folder/data" --appendfsync everysec \
    >"$folder/server.log" 2>&1 &
  server=$!
  wait_for "$port" "$server" "$folder/server.log"
}

load() {
  "$bin/reco-benchmark" -p "$port" --clients 50 --csv "$@"
}

# record <row> <file of CSV>: appends row|rate asked|rate|p50|p99|p99.9|late|errors.
record() {
  local figures
  figures=$(fields asked-rate rate p50-ms p99-ms p99.9-ms late errors <"$2")
  echo "$1|$figures" >>"$results"
  printf '  %s\n' "$1" >&2
}

measure() {
  local row=$1
  shift
  load --duration "$each" "$@" >"$folder/load.csv"
  record "$row" "$folder/load.csv"
}

lists_alone() {
  measure "TOPK alone" --workload topk --rate 10000
}

# The writes begin before the lists and end after them.
lists_beside_writes() {
  load --workload add --rate 1000 --duration "$((each + 2))" --seed "$((1000 * round))" \
    >"$folder/adds.csv" &
  beside=$!
  sleep 1
  measure "TOPK beside 1,000 ADD/s" --workload topk --rate 10000
  wait "$beside"
  beside=
  record "those 1,000 ADD/s" "$folder/adds.csv"
}

# One training after another, as long as the measurement lasts.
train_until() {
  while [[ ! -e $1 ]]; do
    if "$bin/reco-admin" -p "$port" --quiet retrain bench --wait iterations=30 \
      >"$folder/training.txt" 2>&1; then
      echo done >>"$folder/trainings"
    else
      echo failed >>"$folder/trainings"
      tail -n 3 "$folder/training.txt" >&2
    fi
  done
}

lists_beside_training() {
  rm -f "$folder/enough"
  train_until "$folder/enough" &
  beside=$!
  sleep 0.2
  measure "TOPK beside trainings" --workload topk --rate 10000
  touch "$folder/enough"
  wait "$beside"
  beside=
}

write_to_changed_list() {
  measure "ADD, then TOPK" --workload add-topk --rate 5000 --seed "$((1000 * round + 500))"
}

# Medians of every row, and the goals beside them. style: table or json.
summarise() {
  awk -F'|' -v style="$1" -v trainings="$2" -v failed="$3" "$awk_functions"'
    function goal(name, wanted, value, text, reached) {
      goals[++goal_count] = sprintf("| %-50s | %13s | %10s | %-6s |", name, wanted, text,
        reached ? "yes" : "missed")
      goal_json[goal_count] = sprintf("{\"goal\": \"%s\", \"wanted\": \"%s\"," \
        " \"value\": %s, \"reached\": %s}",
        name, wanted, value, reached ? "true" : "false")
    }
    function ratio(row) { return at[row, 5] / at["TOPK alone", 5] }
    !($1 in seen) { seen[$1] = 1; order[++rows] = $1 }
    { for (f = 2; f <= 7; f++) list[$1, f] = list[$1, f] " " $f; errors += $8 }
    END {
      for (r = 1; r <= rows; r++) for (f = 2; f <= 7; f++)
        at[order[r], f] = median(list[order[r], f])
      closed = at["TOPK, closed loop", 3]
      alone = at["TOPK alone", 5]
      changed = at["ADD, then TOPK", 5]
      goal("TOPK, closed loop, /s", ">= 20,000", closed, thousands(closed), closed >= 20000)
      goal("TOPK at 10,000/s, p99 ms", "< 3", alone, sprintf("%.2f", alone), alone < 3)
      write_ratio = ratio("TOPK beside 1,000 ADD/s")
      goal("its p99 beside 1,000 ADD/s, times that alone", "<= 1.3", write_ratio,
        sprintf("%.2f", write_ratio), write_ratio <= 1.3)
      train_ratio = ratio("TOPK beside trainings")
      train_ms = at["TOPK beside trainings", 5]
      goal("its p99 beside trainings, times that alone", "<= 2, + 4 ms", train_ratio,
        sprintf("%.2f", train_ratio), train_ms <= 2 * alone + 4)
      goal("ADD, then TOPK at 5,000/s, p99 ms", "< 2", changed, sprintf("%.2f", changed),
        changed < 2)
      goal("commands and trainings failed", "0", errors + failed, errors + failed,
        errors + failed == 0)
      if (style == "json") {
        printf "{\"rows\": ["
        for (r = 1; r <= rows; r++)
          printf "%s\n  {\"work\": \"%s\", \"asked-rate\": %s, \"rate\": %s, \"p50-ms\": %s," \
            " \"p99-ms\": %s, \"p99.9-ms\": %s, \"late\": %s}", (r > 1 ? "," : ""), order[r],
            at[order[r], 2], at[order[r], 3], at[order[r], 4], at[order[r], 5], at[order[r], 6],
            at[order[r], 7]
        printf "],\n \"trainings\": %d,\n \"goals\": [", trainings
        for (g = 1; g <= goal_count; g++) printf "%s\n  %s", (g > 1 ? "," : ""), goal_json[g]
        print "]}"
        exit
      }
      line = "| %-24s | %10s | %10s | %7s | %7s | %8s | %10s |\n"
      printf line, "work, 50 clients", "asked /s", "reached /s", "p50 ms", "p99 ms", "p99.9 ms",
        "late"
      print "|---|---:|---:|---:|---:|---:|---:|"
      for (r = 1; r <= rows; r++) {
        row = order[r]
        asked = at[row, 2] > 0 ? thousands(at[row, 2]) : ""
        printf line, row, asked, thousands(at[row, 3]), sprintf("%.2f", at[row, 4]),
          sprintf("%.2f", at[row, 5]), sprintf("%.2f", at[row, 6]),
          asked == "" ? "" : thousands(at[row, 7])
      }
      printf "\n| %-50s | %13s | %10s | %-6s |\n|---|---:|---:|---|\n", "goal", "wanted",
        "measured", "met"
      for (g = 1; g <= goal_count; g++) print goals[g]
      printf "\n- Trainings that ended beside the lists: %d.\n", trainings
    }' "$results"
}

load_before=$(cut -d' ' -f1-3 /proc/loadavg)
start_server
echo "preparing 41,000 items, 100,000 users, 1,000,000 events, d=64" >&2
load --prepare --workload topk --duration 2 >/dev/null
: >"$folder/trainings"
for ((round = 1; round <= rounds; round++)); do
  echo "round $round of $rounds" >&2
  measure "TOPK, closed loop" --workload topk
  if ((round % 2)); then
    lists_alone
    lists_beside_writes
    lists_beside_training
  else
    lists_beside_training
    lists_beside_writes
    lists_alone
  fi
  write_to_changed_list
done
load_after=$(cut -d' ' -f1-3 /proc/loadavg)
trainings=$(grep -c done "$folder/trainings" || true)
failed=$(grep -c failed "$folder/trainings" || true)

if [[ $output == --json ]]; then
  summarise json "$trainings" "$failed" | tee "$folder/summary.json"
  ! grep -q '"reached": false' "$folder/summary.json"
  exit
fi
table=$folder/table.md
{
  summarise table "$trainings" "$failed"
  machine
  echo "- Medians of $rounds rounds of $each s, clients on the same machine. Load average" \
    "before $load_before, after $load_after."
} >"$table"
cat "$table"
if [[ $output == write ]]; then
  write_table serving "$table" "$document"
fi
! grep -q '| missed |' "$table"
