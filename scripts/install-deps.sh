#!/usr/bin/env bash
# Installs what the project needs from Debian's packages; says nothing and takes well under a
# second when all of it is there.
# usage: scripts/install-deps.sh [build] [test] [lint] [clients]     (default: build)
set -euo pipefail

BUILD=(g++ make cmake ninja-build pkg-config python3 librocksdb-dev libflatbuffers-dev
  flatbuffers-compiler libeigen3-dev libboost-dev libspdlog-dev libfmt-dev libhiredis-dev
  libcli11-dev libssl-dev libhwy-dev libsimdjson-dev libhnswlib-dev zlib1g-dev libzstd-dev
  libbz2-dev libjemalloc-dev)
TEST=(libgtest-dev libgmock-dev libbenchmark-dev clang-format redis-tools redis-server)
LINT=(clang clang-tidy clang-format llvm lld libclang-rt-14-dev)
CLIENTS=(redis-tools)

# Tools that a machine may have from elsewhere: the command, and the package when it is missing.
CLIENT_TOOLS=(node:nodejs npm:npm go:golang-go javac:default-jdk-headless mvn:maven cargo:cargo-web)

wanted=()
for group in "${@:-build}"; do
  case "$group" in
    build) wanted+=("${BUILD[@]}") ;;
    test) wanted+=("${TEST[@]}") ;;
    lint) wanted+=("${LINT[@]}") ;;
    clients)
      wanted+=("${CLIENTS[@]}")
      for pair in "${CLIENT_TOOLS[@]}"; do
        command -v "${pair%%:*}" >/dev/null || wanted+=("${pair##*:}")
      done
      # The venv module needs ensurepip, which Debian's own python3 has only in this package.
      python3 -c 'import ensurepip, venv' 2>/dev/null || wanted+=(python3-venv)
      ;;
    *)
      echo "install-deps.sh: no group '$group'; there are build, test, lint and clients" >&2
      exit 2
      ;;
  esac
done

if ! command -v dpkg-query >/dev/null; then
  echo "install-deps.sh: not a Debian system; install these by hand: ${wanted[*]}" >&2
  exit 0
fi

mapfile -t installed < <(dpkg-query -W -f '${db:Status-Abbrev}${binary:Package}\n' 2>/dev/null |
  sed -n 's/^ii \([^:]*\).*/\1/p')
mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) \
  <(printf '%s\n' "${installed[@]}" | sort -u))
[ "${#missing[@]}" -eq 0 ] && exit 0

root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "install-deps.sh: not root and no sudo; missing: ${missing[*]}" >&2
    exit 1
  }
  root=(sudo)
fi

# No package may start a service (redis-server would take port 6379): policy-rc.d forbids it while
# we install, unless the system has a policy of its own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
  "${root[@]}" chmod 755 "$policy"
  trap '"${root[@]}" rm -f "$policy"' EXIT
fi

echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${root[@]}" apt-get update -qq
"${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
