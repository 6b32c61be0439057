#!/usr/bin/env bash
# Shows RecoDB from nothing to recommendations that survive a kill -9, in about half a minute, with
# a year of a real shop's purchases. Needs no input. RECO_BIN: the folder of the binaries.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
bin=${RECO_BIN:-$root/build/release/bin}
data=$root/examples/online-retail
folder=$(mktemp -d "${TMPDIR:-/tmp}/reco-demo.XXXXXX")
server=
customer=13581       # bought ten things for house and garden
clicked=22697        # GREEN REGENCY TEACUP AND SAUCER
similar_to=85123A    # WHITE HANGING HEART T-LIGHT HOLDER
basket=(22720 47566) # SET OF 3 CAKE TINS PANTRY DESIGN, PARTY BUNTING
started=$SECONDS

me=demo
source "$root/scripts/common.sh"
need "$bin/reco-server" "$bin/reco-admin"

if [[ -t 1 ]]; then
  bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
else
  bold='' dim='' plain=''
fi

# shellcheck disable=SC2086  # it may be empty
trap 'stop $server' EXIT

start_server() {
  "$bin/reco-server" --port "$port" --dir "$folder/data" >>"$folder/server.log" 2>&1 &
  server=$!
  wait_for "$port" "$server" "$folder/server.log"
}

admin() { "$bin/reco-admin" -p "$port" "$@"; }

step() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# Shows a command as it would be typed, and runs it.
run() {
  printf '%s$ reco-admin %s%s\n' "$dim" "${*/#$data\//examples/online-retail/}" "$plain"
  admin "$@"
}

ranking() { run call --title title "$@" WITHSCORES; }

answers() {
  admin topk retail "$customer" --title title --count 20
  admin call --title title RECO.HISTORY retail "$customer" COUNT 20 WITHSCORES
  admin call --title title RECO.SIMILAR retail 1 "$similar_to" COUNT 20 WITHSCORES
  admin call --title title RECO.SESSION retail 2 "${basket[@]}" COUNT 20 WITHSCORES
  admin call --title title RECO.POPULAR retail COUNT 20 WITHSCORES
}

title_of() { awk -F, -v id="$1" '$1 == id { print $2 }' "$data/items.csv"; }

# Lines of the second list, with how each item moved since the first.
compare() {
  awk 'NR == FNR { rank[$2] = $1; next }
       !($2 in rank)   { print $0 "   <- new"; next }
       rank[$2] != $1  { print $0 "   <- was " rank[$2]; next }
       { print }' "$1" "$2"
}

port=$(free_port 16390)
start_server
step "1. A server on an empty folder, and a collection: a purchase counts 1, a return -1"
run call RECO.CREATE retail TYPE purchase 1 TYPE return -1

step "2. Import a year of a real shop, returns included, and the items' titles and prices"
run import retail "$data/interactions.csv.gz" --user user --item item --time timestamp_ms \
  --type type
run import-items retail "$data/items.csv" --item item --types price_gbp:number

step "3. Train a model; the server goes on answering meanwhile"
run retrain retail --wait

step "4. Is it any good? Hide each customer's last purchase, train on the rest, guess it"
run eval retail --at 20

step "5. Customer $customer: what they bought last (weights: purchases less returns) ..."
ranking RECO.HISTORY retail "$customer" COUNT 12
step "   ... and what to offer them: item, score, where the score comes from, title"
admin topk retail "$customer" --title title --count 10 >"$folder/before"
run topk retail "$customer" --title title --count 10

step "6. One purchase more, $(title_of "$clicked"): the very next read has moved"
run call RECO.ADD retail "$customer" "$clicked" TYPE purchase
admin topk retail "$customer" --title title --count 10 >"$folder/after"
printf '%s$ reco-admin topk retail %s --title title%s\n' "$dim" "$customer" "$plain"
compare "$folder/before" "$folder/after"
moved=$(awk 'NR == FNR { rank[$2] = $1; next }
             { gain = (($2 in rank) ? rank[$2] : 11) - $1
               if (gain > best) { best = gain; id = $2 } }
             END { print id }' "$folder/before" "$folder/after")
moved=${moved:-$(awk 'NR == 1 { print $2 }' "$folder/after")}
step "   Why $moved? The shares of what the customer bought add up to its score"
run call --title title RECO.EXPLAIN retail "$customer" "$moved" COUNT 5

step "7. Items like $similar_to, $(title_of "$similar_to")"
ranking RECO.SIMILAR retail 1 "$similar_to" COUNT 6

step "8. An anonymous visitor with two things in the basket"
for item in "${basket[@]}"; do
  printf '   %-7s %s\n' "$item" "$(title_of "$item")"
done
ranking RECO.SESSION retail "${#basket[@]}" "${basket[@]}" COUNT 6

step "9. Under one pound only; then a campaign for hearts, in force at once on every list"
ranking RECO.TOPK retail "$customer" COUNT 3 FILTER '.price_gbp < 1'
run call RECO.RULE retail SET hearts FILTER '"HEART" in .title' BOOST 4
ranking RECO.TOPK retail "$customer" COUNT 3
run call RECO.WHY retail "$customer" 84970S

step "10. kill -9, start again on the same folder, ask the same questions"
answers >"$folder/answers.before"
{
  kill -9 "$server"
  wait "$server" || true
} 2>/dev/null
restart=$(date +%s%N)
start_server
printf 'serving again after %d ms; ' $((($(date +%s%N) - restart) / 1000000))
answers >"$folder/answers.after"
if ! diff "$folder/answers.before" "$folder/answers.after"; then
  echo "demo: the answers differ after the restart" >&2
  exit 1
fi
echo "$(wc -l <"$folder/answers.after") lines of answers compared: identical"
run info
stop "$server"
server=

step "Done in $((SECONDS - started)) s. To go on by hand:"
cat <<END
  $bin/reco-server --port 6390 --dir $folder/data &
  redis-cli -p 6390 RECO.TOPK retail $customer WITHSCORES
  redis-cli -p 6390 RECO.ADD retail ann $similar_to TYPE purchase
  redis-cli -p 6390 RECO.TOPK retail ann COUNT 5
  redis-cli -p 6390 RECO.INFO retail
  $bin/reco-admin topk retail ann --title title
  rm -r $folder        # when you are finished
END
