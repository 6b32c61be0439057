#!/usr/bin/env bash
# Measures how well the next event is predicted when every write is learned from at once: replays
# the newer half of a log against a server of its own (reco-admin stream-eval), for each way of
# folding in, recency and rhythm of training, and with neighbours. Prints the tables, then the
# figures beside the goals; exits with 1 when a goal is missed.
#
#   scripts/benchmark-learning.sh                  both logs, some minutes
#   scripts/benchmark-learning.sh retail|ml-100k   one of them
#
# Logs: Online Retail, which examples/ ships, the first purchase of each item by each customer,
# weight 1; and MovieLens 100K, every rating an event of weight 1, when it is there (it may not be
# shipped). RECO_BIN: the folder of the binaries; ML_100K: the file u.data (default
# ../shared/data/ml-100k/u.data); RETRAIN: rhythms of training (default 0,5000).
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
bin=${RECO_BIN:-$root/build/release/bin}
ml_100k=${ML_100K:-$root/../shared/data/ml-100k/u.data}
retail=$root/examples/online-retail/interactions.csv.gz
modes=off,users,both
recencies=age,0.9,0.98,1
neighbours=off,sessions,ridge,auto
rhythms=${RETRAIN:-0,5000}
wanted=${1:-all}

case $wanted in
  all | retail | ml-100k) ;;
  *)
    echo "usage: scripts/benchmark-learning.sh [retail|ml-100k]" >&2
    exit 2
    ;;
esac
me=benchmark-learning
source "$root/scripts/common.sh"
need "$bin/reco-server" "$bin/reco-admin"

folder=$(mktemp -d "${TMPDIR:-/tmp}/reco-learning.XXXXXX")
server=

# shellcheck disable=SC2086  # it may be empty
trap 'stop $server; rm -rf "$folder"' EXIT

start_server() {
  port=$(free_port 17100)
  "$bin/reco-server" --port "$port" --dir "$folder/data" >"$folder/server.log" 2>&1 &
  server=$!
  wait_for "$port" "$server" "$folder/server.log"
}

# replay <name> <options of stream-eval>: prints the tables and keeps them as <name>.
replay() {
  local name=$1
  shift
  "$bin/reco-admin" -p "$port" stream-eval "$@" --param dim=64 --param iterations=12 \
    >"$folder/$name"
  cat "$folder/$name"
  echo
}

# figures <name> <mode> <recency> [<neighbours>]: recall@20 and MRR@20 over all questions, without
# retraining.
figures() {
  awk -v mode="$2" -v recency="$3" -v neighbours="${4:-off}" \
    '$1 == mode && $2 == recency && $3 == neighbours && $4 == "-" { print $9, $11; exit }' \
    "$folder/$1"
}

missed=0

# judge <what> <measured recall> <measured MRR> <goal recall> <goal MRR>
judge() {
  local verdict=met
  if ! awk -v r="$2" -v m="$3" -v gr="$4" -v gm="$5" 'BEGIN { exit !(r >= gr && m >= gm) }'; then
    verdict=MISSED
    missed=1
  fi
  printf '%-51s %s / %s, goal %s / %s: %s\n' "$1" "$2" "$3" "$4" "$5" "$verdict"
}

# goals <name> <recall, MRR at recency 0.9> <the same at 1> <the same by age> <with neighbours>
goals() {
  local name=$1 recency users both
  read -r -a both < <(figures "$name" both age)
  judge "$name, recency age" "${both[@]}" "$6" "$7"
  read -r -a both < <(figures "$name-neighbours" both age auto)
  judge "$name, neighbours auto" "${both[@]}" "$8" "$9"
  read -r -a both < <(figures "$name" both 0.9)
  judge "$name, recency 0.9" "${both[@]}" "$2" "$3"
  read -r -a both < <(figures "$name" both 1)
  judge "$name, recency 1" "${both[@]}" "$4" "$5"
  for recency in ${recencies//,/ }; do
    read -r -a users < <(figures "$name" users "$recency")
    read -r -a both < <(figures "$name" both "$recency")
    judge "$name, recency $recency, live items beat users only" "${both[@]}" "${users[@]}"
  done
}

start_server
has_retail=no
has_ml=no
if [[ $wanted != ml-100k ]]; then
  has_retail=yes
  gzip -dc "$retail" | awk -F, '
    NR == 1 { print "timestamp_ms,user,item"; next }
    $4 == "purchase" && !seen[$2, $3]++ { print $1 "," $2 "," $3 }' >"$folder/retail.csv"
  columns=(--user user --item item --time timestamp_ms
    --param unobserved=1 --param reg=0.1 --param regn=0.06)
  echo "== Online Retail: the next item"
  replay retail retail "$folder/retail.csv" "${columns[@]}" --modes "$modes" \
    --recency "$recencies" --neighbours off --retrain-every "$rhythms"
  echo "== Online Retail: the next item, by neighbours"
  replay retail-neighbours retail "$folder/retail.csv" "${columns[@]}" --modes both \
    --recency age --neighbours "$neighbours"
  echo "== Online Retail: the first item of the next basket"
  replay baskets retail "$folder/retail.csv" "${columns[@]}" --modes both --next-basket \
    --recency "$recencies" --neighbours "$neighbours"
fi
if [[ $wanted != retail && -r $ml_100k ]]; then
  has_ml=yes
  echo "== MovieLens 100K: the next item"
  films=(--delimiter tab --no-header --user 1 --item 2 --time 4 --time-unit s
    --param unobserved=3 --param reg=0.1 --param regn=0.03)
  replay ml-100k ml-100k "$ml_100k" "${films[@]}" --modes "$modes" --recency "$recencies" \
    --neighbours off --retrain-every "$rhythms"
  echo "== MovieLens 100K: the next item, by neighbours"
  replay ml-100k-neighbours ml-100k "$ml_100k" "${films[@]}" --modes both --recency age \
    --neighbours "$neighbours"
elif [[ $wanted != retail ]]; then
  echo "== MovieLens 100K: $ml_100k is not there, left out (ML_100K names another place)"
fi

echo "== recall@20 / MRR@20, both sides folded in, no retraining; load average" \
  "$(cut -d' ' -f1-3 /proc/loadavg)"
[[ $has_retail == yes ]] && goals retail 0.150 0.041 0.112 0.027 0.168 0.049 0.243 0.078
[[ $has_ml == yes ]] && goals ml-100k 0.300 0.078 0.220 0.050 0.311 0.081 0.343 0.093
exit "$missed"
