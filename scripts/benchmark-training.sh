#!/usr/bin/env bash
# Sets training beside the implicit library on the same pairs and prints tables of speed, objective,
# memory and ranking quality; bench/peers/README.md explains them.
#
#   scripts/benchmark-training.sh [retail|ml-100k|power-law]...    all three: about 20 minutes
#
# Further words go to bench/peers/compare.py: --only speed|quality, --dims 64, --rounds 1,
# --iterations 3. RECO_BIN: the folder of the binaries. Python packages and generated data are kept
# under build/peers.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
program=${RECO_BIN:-$root/build/release/bin}/bench_training
cache=$root/build/peers

if [[ ! -x $program ]]; then
  echo "benchmark-training: $program is missing; run: make build" >&2
  exit 1
fi
if ! cmp -s "$root/bench/peers/requirements.txt" "$cache/venv/requirements.txt"; then
  mkdir -p "$cache"
  python3 -m venv --clear "$cache/venv"
  "$cache/venv/bin/pip" install --quiet --requirement "$root/bench/peers/requirements.txt"
  cp "$root/bench/peers/requirements.txt" "$cache/venv/requirements.txt"
fi
exec "$cache/venv/bin/python" "$root/bench/peers/compare.py" --program "$program" \
  --cache "$cache" "$@"
