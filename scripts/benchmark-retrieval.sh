#!/usr/bin/env bash
# Sets exact retrieval beside faiss, Eigen and hnswlib on the same vectors and prints tables of the
# time of a query and of a change; bench/peers/README.md explains them.
#
#   scripts/benchmark-retrieval.sh [gaussian|trained-like|retail]...    all three: under 10 minutes
#
# Further words go to bench/peers/retrieval.py: --dims 64, --items 41000, --parts search filters
# graph, --rounds 1, --graph-max 1000000. RECO_BIN: the folder of the binaries. Python packages are
# kept under build/peers, generated vectors and graphs in /tmp/reco-retrieval.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
program=${RECO_BIN:-$root/build/release/bin}/bench_retrieval
venv=$root/build/peers/venv-retrieval
packages=$root/bench/peers/requirements-retrieval.txt

if [[ ! -x $program ]]; then
  echo "benchmark-retrieval: $program is missing; run: make build" >&2
  exit 1
fi
if ! cmp -s "$packages" "$venv/requirements.txt"; then
  mkdir -p "$(dirname "$venv")"
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --requirement "$packages"
  cp "$packages" "$venv/requirements.txt"
fi
exec "$venv/bin/python" "$root/bench/peers/retrieval.py" --program "$program" "$@"
