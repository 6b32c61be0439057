#!/usr/bin/env bash
# Measures this build beside another one in the same run, for instance before a release beside the
# release before: one server of each, the same work for both in turn, in rounds whose order
# alternates. Prints a table; exits with 1 when this build is slower beyond noise at anything: the
# median of the rounds' ratios is below 0.95 and this build was slower in every round.
#
#   scripts/benchmark-against.sh PATH           PATH: the folder of the other build's binaries;
#                                               about six minutes
#   scripts/benchmark-against.sh PATH --json    prints JSON in place of the table
#   ROUNDS=1 SECONDS_EACH=0.5 EVENTS=50000 ADDS=5000 scripts/benchmark-against.sh PATH     a quick
#                                               one; one round cannot tell noise from a difference
#
# RECO_BIN: the folder of this build's binaries; ROUNDS: default 5; SECONDS_EACH: length of one
# measurement of SET, GET and TOPK (default 2); ADDS: events of one measurement of ADD (default
# 100000), a number rather than a time so that both collections stay the same; EVENTS: of the
# collection at the start (default 1000000).
#
# PATH may be the folder of this build too: what differs then is the machine's noise.
#
# All rates are of work done, so that more is better throughout. This build's reco-benchmark drives
# both servers; import and training go through each build's own reco-admin.
set -euo pipefail
shopt -s inherit_errexit

root=$(cd "$(dirname "$0")/.." && pwd)
bin=${RECO_BIN:-$root/build/release/bin}
each=${SECONDS_EACH:-2}
rounds=${ROUNDS:-5}
adds=${ADDS:-100000}
events=${EVENTS:-1000000}
data=$root/examples/online-retail/interactions.csv.gz
output=${2:-table}

if (($# < 1 || $# > 2)) || [[ $1 == -* || ! $output =~ ^(table|--json)$ ]]; then
  echo "usage: scripts/benchmark-against.sh PATH [--json]" >&2
  exit 2
fi
if ! [[ $rounds =~ ^[1-9][0-9]*$ ]]; then
  echo "benchmark-against: ROUNDS must be a whole number from 1 on" >&2
  exit 2
fi
me=benchmark-against
source "$root/scripts/common.sh"
need "$bin/reco-server" "$bin/reco-admin" "$bin/reco-benchmark" "$1/reco-server" "$1/reco-admin"

folder=$(mktemp -d "${TMPDIR:-/tmp}/reco-against.XXXXXX")
results=$folder/results
declare -A bins=([old]=$1 [new]=$bin) ports=() pids=()
trap 'stop "${pids[@]}"; rm -rf "$folder"' EXIT

# start_server <old|new> <first port to try>
start_server() {
  ports[$1]=$(free_port "$2")
  "${bins[$1]}/reco-server" --port "${ports[$1]}" --dir "$folder/$1" --appendfsync everysec \
    >"$folder/$1.log" 2>&1 &
  pids[$1]=$!
  wait_for "${ports[$1]}" "${pids[$1]}" "$folder/$1.log"
}

admin() { "${bins[$1]}/reco-admin" -p "${ports[$1]}" --json --quiet "${@:2}"; }

load() { "$bin/reco-benchmark" -p "${ports[$1]}" --clients 50 --csv "${@:2}"; }

# Until both servers rest, so that what one still writes in the background does not slow the other.
settle() {
  local i before after=-100
  for ((i = 0; i < 100; i++)); do
    before=$after
    after=$(awk '{ ticks += $14 + $15 } END { print ticks }' \
      "/proc/${pids[old]}/stat" "/proc/${pids[new]}/stat")
    ((after - before <= 1)) && return
    sleep 0.1
  done
}

# rate <old|new> <options of reco-benchmark>: prints requests a second.
# shellcheck disable=SC2329  # called by name
rate() { load "$@" | fields rate; }

# import <old|new>: the shop's year into a new collection; prints interactions a second.
# shellcheck disable=SC2329  # called by name
import() {
  admin "$1" import "retail-$round" "$data" --user user --item item --time timestamp_ms \
    >"$folder/import.json"
  awk -v records="$(json_number records <"$folder/import.json")" \
    -v seconds="$(json_number seconds <"$folder/import.json")" \
    'BEGIN { printf "%.1f\n", records / seconds }'
}

# train <old|new>: on what was imported last; prints iterations a second.
# shellcheck disable=SC2329  # called by name
train() {
  admin "$1" retrain "retail-$round" --wait iterations=50 | json_number seconds-per-iteration |
    awk '{ printf "%.3f\n", 1 / $1 }'
}

# pair <row> <unit> <function> [<words for it>]: both builds in turn, the first of them alternates;
# appends row|unit|round|build|rate.
pair() {
  local row=$1 unit=$2 work=$3 order=(old new) build measured
  shift 3
  ((round % 2)) || order=(new old)
  for build in "${order[@]}"; do
    settle
    measured=$("$work" "$build" "$@")
    echo "$row|$unit|$round|$build|$measured" >>"$results"
  done
  printf '  %s\n' "$row" >&2
}

measure_round() {
  local pipeline
  for pipeline in 1 16; do
    pair "SET, P$pipeline" requests/s rate -P "$pipeline" --duration "$each" -w set
    pair "GET, P$pipeline" requests/s rate -P "$pipeline" --duration "$each" -w get
    pair "RECO.ADD, P$pipeline" requests/s rate -P "$pipeline" --requests "$adds" -w add \
      --seed "$((1000 * round + pipeline))"
    pair "RECO.TOPK, P$pipeline" requests/s rate -P "$pipeline" --duration "$each" -w topk
  done
  pair "import of Online Retail" events/s import
  pair "training on it, d=64" iterations/s train
  admin old call DEL "retail-$round" >/dev/null
  admin new call DEL "retail-$round" >/dev/null
}

# One line a row in the order of first measurement. style: table or json.
summarise() {
  awk -F'|' -v style="$1" -v rounds="$rounds" "$awk_functions"'
    !($1 in unit) { unit[$1] = $2; order[++rows] = $1 }
    { rates[$1, $4] = rates[$1, $4] " " $5; at[$1, $3, $4] = $5 }
    END {
      format = style == "json" ? "%s\n  {\"what\": \"%s\", \"unit\": \"%s\", \"old\": %.3f," \
        " \"new\": %.3f, \"ratio\": %.4f, \"ratio-min\": %.4f, \"ratio-max\": %.4f," \
        " \"slower\": %s}" : "%s| %-23s | %-12s | %11s | %11s | %7.3f | %5.3f..%5.3f | %-6s |\n"
      if (style == "json") {
        printf "{\"rounds\": %d,\n \"rows\": [", rounds
      } else {
        printf "| %-23s | %-12s | %11s | %11s | %7s | %12s | %-6s |\n", "what", "unit",
          "old median", "new median", "new/old", "min..max", "slower"
        print "|---|---|---:|---:|---:|---:|---|"
      }
      for (r = 1; r <= rows; r++) {
        row = order[r]
        ratios = ""
        for (n = 1; n <= rounds; n++) {
          ratio = at[row, n, "new"] / at[row, n, "old"]
          ratios = ratios " " ratio
          if (n == 1 || ratio < low) low = ratio
          if (n == 1 || ratio > high) high = ratio
        }
        middle = median(ratios)
        old = median(rates[row, "old"])
        new = median(rates[row, "new"])
        slower = middle < 0.95 && high < 1
        slower_rows += slower
        if (style == "json")
          printf format, (r > 1 ? "," : ""), row, unit[row], old, new, middle, low, high,
            slower ? "true" : "false"
        else
          printf format, "", row, unit[row], thousands(old), thousands(new), middle, low, high,
            slower ? "yes" : "no"
      }
      if (style == "json") print "]}"
      exit slower_rows > 0
    }' "$results"
}

load_before=$(cut -d' ' -f1-3 /proc/loadavg)
start_server old 17200
start_server new 17300
for build in old new; do
  echo "preparing $events events and 100,000 keys, $build" >&2
  load "$build" --prepare --events "$events" -w set -P 16 --requests 1000000 >/dev/null
done
for ((round = 1; round <= rounds; round++)); do
  echo "round $round of $rounds" >&2
  measure_round
done
load_after=$(cut -d' ' -f1-3 /proc/loadavg)

status=0
if [[ $output == --json ]]; then
  summarise json || status=$?
  exit "$status"
fi
summarise table || status=$?
echo
machine "old $("${bins[old]}/reco-server" --version | head -n 1)"
echo "- Rounds: $rounds, 50 clients on the same machine. new/old is the median of the rounds'" \
  "ratios, min..max their spread. Load average before $load_before, after $load_after."
exit "$status"
