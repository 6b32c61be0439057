# What the demo and the benchmarks share; sourced by them. Needs $bin, the folder of the binaries,
# and $me, the script's name for its messages.
# shellcheck shell=bash

# need PROGRAM...: ends the script when one is missing.
need() {
  local program
  for program; do
    if ! command -v "$program" >/dev/null; then
      echo "$me: $program is missing; run: make build, and scripts/install-deps.sh test" >&2
      exit 1
    fi
  done
}

# free_port FIRST: prints one of the hundred from there on that nobody listens on.
free_port() {
  local port
  for ((port = $1; port < $1 + 100; port++)); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
  echo "$me: no free port from $1 to $(($1 + 99))" >&2
  return 1
}

# wait_for PORT PID LOG: until the server answers; fails with the end of its log when it does not.
wait_for() {
  local i
  for ((i = 0; i < 200; i++)); do
    "$bin/reco-admin" -p "$1" ping >/dev/null 2>&1 && return
    kill -0 "$2" 2>/dev/null || break
    sleep 0.05
  done
  echo "$me: the server on port $1 does not start:" >&2
  tail -n 5 "$3" >&2
  return 1
}

# stop PID...: ends servers of ours and waits for them.
stop() {
  local pid
  for pid; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
}

# fields NAME...: of the CSV of reco-benchmark, prints the columns of these names, | between them.
fields() {
  awk -F, -v names="$*" '
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; count = split(names, wanted, " "); next }
    { for (i = 1; i <= count; i++) printf "%s%s", $at[wanted[i]], i < count ? "|" : "\n" }'
}

# json_number NAME: of the JSON of reco-admin, a line, prints the number of this name.
json_number() {
  sed -n "s/.*\"$1\": \([-+.0-9e]*\).*/\1/p"
}

# machine [PEER]: the line under a table that says what it was measured on.
machine() {
  echo "- Machine: $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
    "Linux $(uname -r), $("$bin/reco-server" --version 2>/dev/null | head -n 1),${1:+ $1,}" \
    "$(date -u +%Y-%m-%d)."
}

# write_table NAME TABLE DOCUMENT: puts the file TABLE between the document's marks of that name.
write_table() {
  local written
  written=$(mktemp)
  awk -v table="$2" -v name="$1" '
    $0 == "<!-- " name ": begin -->" {
      print $0 "\n"
      while ((getline line < table) > 0) print line
      print ""
      skipping = 1
    }
    $0 == "<!-- " name ": end -->" { skipping = 0 }
    !skipping { print }
  ' "$3" >"$written"
  cat "$written" >"$3"
  rm -f "$written"
  echo "written to doc/${3##*/}" >&2
}

# What the tables' awk programs begin with: the median of numbers in a text, 1234567 as 1,234,567.
# shellcheck disable=SC2034  # used by who sources this
awk_functions='
  function median(list,   parts, count, i, j, swap) {
    count = split(list, parts, " ")
    for (i = 1; i <= count; i++) for (j = i + 1; j <= count; j++)
      if (parts[j] + 0 < parts[i] + 0) { swap = parts[i]; parts[i] = parts[j]; parts[j] = swap }
    return (parts[int((count + 1) / 2)] + parts[int(count / 2) + 1]) / 2
  }
  function thousands(number,   text, out) {
    text = sprintf("%d", number)
    out = ""
    while (length(text) > 3) {
      out = "," substr(text, length(text) - 2) out
      text = substr(text, 1, length(text) - 3)
    }
    return text out
  }
'
