#!/usr/bin/env bash
# Every static check: the light ones (format, layers, documents, sources, citations, limits, tests
# of headers and of commands, text) and clang-tidy with clang's thread-safety analysis.
# usage: scripts/lint.sh [PRESET]     a clang preset whose build is at hand (default: dev)
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-dev}

cmake --preset "$preset" >/dev/null
# Generated and precompiled headers come from the build of the layers.
cmake --build --preset "$preset" --target layers
tools/check_format.py
tools/check_layers.py layers.txt
tools/check_docs.py .
tools/check_sources.py .
tools/check_citations.py .
tools/check_limits.py .
tools/check_mirror.py .
tools/check_e2e.py .
tools/check_text.py .
tools/run_tidy.py "build/$preset"
