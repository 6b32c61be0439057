#!/usr/bin/env python3
"""Memory of a server by part, after a training and after a start, beside the least it could be.

The least: a float32 vector of d numbers for each user and item, and one byte for each number of an
item's vector in the index. The goal: what is resident stays within 1.6 times that plus the bounds
that the options set to the caches (row-cache-bytes, block-cache-bytes, write-buffer-bytes).
Run it as scripts/benchmark-memory.sh.
"""
import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

from tables import table

DIM = 64
GOAL = 1.6
MIB = 1 << 20
SIZES = {"small": (100_000, 41_000, 1_000_000), "large": (1_000_000, 100_000, 10_000_000)}
# Fixed, so that the goal is the same on every machine.
CACHES = {"row-cache-bytes": 512 * MIB, "block-cache-bytes": 128 * MIB,
          "write-buffer-bytes": 64 * MIB}
# What a part's bytes are divided by: the records of these kinds.
OWNERS = {"dictionaries": "user or item", "vectors": "user or item", "records": "user or item",
          "item-index": "item", "popularity": "item", "rows": "pair"}
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCUMENT = os.path.join(ROOT, "doc", "performance.md")
BEGIN, END = "<!-- memory: begin -->", "<!-- memory: end -->"


class Server:
    """A reco-server over `folder`; a context, whose end stops it."""

    def __init__(self, programs, folder):
        self.programs = programs
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [os.path.join(programs, "reco-server"), "--port", str(self.port), "--dir", folder,
             *(word for name, size in CACHES.items() for word in (f"--{name}", str(size)))],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while self.run("reco-admin", "ping").returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit("benchmark-memory: the server does not start")
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)

    def run(self, program, *arguments):
        return subprocess.run(
            [os.path.join(self.programs, program), "-p", str(self.port), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)

    def call(self, *words):
        done = self.run("reco-admin", "--json", "call", *words)
        if done.returncode != 0:
            sys.exit(f"benchmark-memory: {' '.join(words)} failed: {done.stdout}")
        return json.loads(done.stdout)

    def prepare(self, users, items, events):
        done = self.run("reco-benchmark", "--prepare", "--users", str(users), "--items", str(items),
                        "--events", str(events), "--dim", str(DIM), "--workload", "topk",
                        "--requests", "20000")
        if done.returncode != 0:
            sys.exit("benchmark-memory: the collection cannot be made")

    def details(self):
        """RECO.INFO once everything has reached a checkpoint."""
        while True:
            info = self.call("RECO.INFO", "bench")
            if info["checkpoint-seq"] == info["last-seq"]:
                return info
            time.sleep(0.2)

    def memory(self):
        """The numbers of INFO memory, and what the system says is resident."""
        numbers = {name: int(value) for name, value in
                   re.findall(r"^(\w+):(\d+)\r?$", self.call("INFO", "memory"), re.MULTILINE)}
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            for name, value in re.findall(r"^(Rss\w+|VmRSS|VmHWM):\s+(\d+) kB", file.read(),
                                          re.MULTILINE):
                numbers[name] = int(value) * 1024
        return numbers


def mib(size):
    return f"{size / MIB:,.1f}"


def parts_table(info, memory, least):
    counts = {"user or item": info["users"] + info["items"], "item": info["items"],
              "pair": info["interactions"]}
    rows = []
    for part, size in info["memory"].items():
        owner = OWNERS.get(part)
        each = f"{size / counts[owner]:,.0f} per {owner}" if owner and size else ""
        rows.append([part, mib(size), each, f"{size / least:.2f}"])
    for name, size in (("RocksDB", memory["store_memory_bytes"]),
                       ("keys", memory["keyspace_bytes"]), ("used_memory", memory["used_memory"])):
        rows.append([name, mib(size), "", f"{size / least:.2f}"])
    return table(["part", "MiB", "bytes", "x least"], rows)


def resident_row(name, memory, rows, least):
    caches = rows + memory["store_memory_bytes"]
    rest = memory["VmRSS"] - caches
    return [name, mib(memory["VmRSS"]), mib(memory["RssFile"]), mib(memory["used_memory"]),
            mib(memory["VmRSS"] - memory["RssFile"] - memory["used_memory"]), mib(caches),
            f"{rest / least:.2f}"]


def measure(programs, size):
    """The text about one size, and whether the goal is met."""
    users, items, events = SIZES[size]
    with tempfile.TemporaryDirectory(prefix="reco-memory.") as folder:
        with Server(programs, folder) as server:
            empty = server.memory()
            started = time.monotonic()
            server.prepare(users, items, events)
            seconds = time.monotonic() - started
            info = server.details()
            trained = server.memory()
        started = time.monotonic()
        with Server(programs, folder) as server:
            start_seconds = time.monotonic() - started
            again = server.details()
            restarted = server.memory()
    least = 4 * DIM * (info["users"] + info["items"]) + DIM * info["items"]
    allowed = GOAL * least + sum(CACHES.values())
    met = max(trained["VmRSS"], restarted["VmRSS"]) <= allowed
    resident = table(
        ["when", "RSS MiB", "of files", "used_memory", "not counted", "caches", "rest x least"],
        [resident_row("empty", empty, 0, least),
         resident_row("trained", trained, info["memory"]["rows"], least),
         resident_row("started again", restarted, again["memory"]["rows"], least)])
    text = (
        f"{info['users']:,} users, {info['items']:,} items, {info['interactions']:,} pairs, "
        f"d={DIM}, {info['events']:,} events; least {mib(least)} MiB:\n\n"
        f"{parts_table(info, trained, least)}\n\n{resident}\n\n"
        f"- Goal: RSS <= {GOAL} x least + caches' bounds = {mib(allowed)} MiB: "
        f"{'met' if met else 'missed'}. Bounds: "
        + ", ".join(f"{name} {mib(value)}" for name, value in CACHES.items())
        + f" MiB; rows {mib(info['memory']['rows'])}.\n"
        f"- Highest RSS, while training: {mib(trained['VmHWM'])} MiB. Made and trained in "
        f"{seconds:.0f} s, started again in {start_seconds:.1f} s.\n")
    return text, met


def write_document(text):
    with open(DOCUMENT, encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(DOCUMENT, "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n\n{text}\n{END}{after}")
    print("written to doc/performance.md", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--bin", required=True, help="folder of the binaries")
    parser.add_argument("--print", action="store_true", help="leave the document alone")
    parser.add_argument("size", nargs="?", choices=[*SIZES], help="only this one")
    args = parser.parse_args()
    for program in ("reco-server", "reco-admin", "reco-benchmark"):
        if not os.access(os.path.join(args.bin, program), os.X_OK):
            sys.exit(f"benchmark-memory: {program} is missing; run: make build")
    texts = []
    all_met = True
    for size in [args.size] if args.size else SIZES:
        text, met = measure(args.bin, size)
        texts.append(text)
        all_met &= met
        print(text, flush=True)
    if not args.print:
        write_document("\n".join(texts))
    return 0 if all_met else 1


if __name__ == "__main__":
    sys.exit(main())
