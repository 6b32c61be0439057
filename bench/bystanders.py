#!/usr/bin/env python3
"""What a client waits for while another one runs a heavy command, over and over.

Run it as scripts/benchmark-bystanders.sh, which tells of the options.
"""
import argparse
import csv
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

from connection import Connection, as_map
from tables import table

GOALS = {"p99-ms": 5.0, "p99.9-ms": 20.0}
CALM = "bench"  # the bystanders' collection: nothing heavy touches it
HEAVY = "heavy"
PAIRS = 100_000  # of one user and of one item of the heavy collection
RATE = 500  # requests a second of each bystander


def say(text):
    print(text, file=sys.stderr, flush=True)


class Server:
    """A reco-server over `folder`; a context, whose end stops it."""

    def __init__(self, programs, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.programs = programs
        self.process = subprocess.Popen(
            [os.path.join(programs, "reco-server"), "--port", str(self.port), "--dir", folder,
             "--appendfsync", "everysec"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            try:
                with Connection(self.port) as connection:
                    connection.call("PING")
                    return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.process.kill()
                    sys.exit("benchmark-bystanders: the server does not start")
                time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(600)

    def load(self, *arguments):
        return subprocess.Popen(
            [os.path.join(self.programs, "reco-benchmark"), "-p", str(self.port), "--csv",
             *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def names(letter, count, first=0):
    return [f"{letter}{i}" for i in range(first, first + count)]


def add_pairs(connection, pairs):
    pairs = list(pairs)
    for at in range(0, len(pairs), 100):  # small calls, since bystanders are measured meanwhile
        connection.call("RECO.MADD", HEAVY, *(word for user, item in pairs[at:at + 100]
                                              for word in (user, item, "1")))


def fill_owner(connection, side):
    """Gives one user, or one item, PAIRS pairs."""
    others = names("i" if side == "USER" else "u", PAIRS)
    add_pairs(connection, (("eager", other) if side == "USER" else (other, "hit")
                           for other in others))


def delete_owner(side):
    def run(connection):
        connection.call(f"RECO.{side}", "DEL", HEAVY, "eager" if side == "USER" else "hit")
    return run


def long_job(connection):
    for job in map(as_map, connection.call("RECO.JOB", "LIST")):
        if job["state"] in ("running", "queued"):
            return str(job["id"])
    return str(connection.call("RECO.RETRAIN", HEAVY, "iterations", "1000"))


def cancel(connection, job):
    try:
        connection.call("RECO.JOB", "CANCEL", job)
    except RuntimeError:
        pass  # it has ended


# name: (what is made ready before each heavy command, without being timed; the command)
CASES = {
    "nothing": (None, lambda c: time.sleep(0.05)),
    "RECO.JOB WAIT": (None, lambda c: c.call("RECO.JOB", "WAIT", long_job(c), "200")),
    "RECO.MADD of 10,000": (None, lambda c: c.call(
        "RECO.MADD", HEAVY, *(word for i in range(10_000)
                              for word in (f"u{i % 997}", f"i{i * 7 % 9973}", "1")))),
    "RECO.USER DEL, 100,000 pairs": (lambda c: fill_owner(c, "USER"), delete_owner("USER")),
    "RECO.ITEM DEL, 100,000 pairs": (lambda c: fill_owner(c, "ITEM"), delete_owner("ITEM")),
    "RECO.REM of 100,000": (lambda c: fill_owner(c, "USER"), lambda c: c.call(
        "RECO.REM", HEAVY, "eager", *names("i", PAIRS))),
    "SCAN, class of 20,000": (None, lambda c: c.call(
        "RECO.ITEM", "SCAN", CALM, "0", "COUNT", "10000", "MATCH", "*[" + 20_000 * "x" + "]")),
    "COUNT 10000 OFFSET 30000": (None, lambda c: c.call(
        "RECO.TOPK", CALM, "u1", "COUNT", "10000", "OFFSET", "30000")),
    "RECO.MTOPK of 1,000": (None, lambda c: c.call(
        "RECO.MTOPK", CALM, "1000", *names("u", 1_000, 1))),
    "DEL of 300,000 pairs": (
        lambda c: add_pairs(c, ((f"u{i % 100_000}", f"i{i // 100_000 * 3_000 + i % 3_000}")
                                for i in range(300_000))),
        lambda c: c.call("DEL", HEAVY)),
}


def run_heavy(server, case, stop, counts, errors):
    prepare, command = CASES[case]
    try:
        with Connection(server.port) as connection:
            while not stop.is_set():
                if prepare is not None:
                    prepare(connection)
                started = time.monotonic()
                command(connection)
                counts.append(time.monotonic() - started)
            if case == "RECO.JOB WAIT":
                cancel(connection, long_job(connection))
    except (OSError, RuntimeError) as error:
        errors.append(str(error))


def figures(process):
    output, _ = process.communicate()
    return list(csv.DictReader(output.splitlines()))[-1]


def measure(server, case, seconds):
    stop, counts, errors = threading.Event(), [], []
    heavy = threading.Thread(target=run_heavy, args=(server, case, stop, counts, errors))
    heavy.start()
    time.sleep(0.2)
    watching = [server.load("--clients", "5", "--rate", str(RATE), "--duration", str(seconds),
                            "--workload", workload) for workload in ("ping", "topk")]
    seen = [figures(process) for process in watching]
    stop.set()
    heavy.join()
    if errors:
        sys.exit(f"benchmark-bystanders: {case}: {errors[0]}")
    return seen, counts


def median(values):
    values = sorted(values)
    return values[len(values) // 2]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--cases", help="substrings, commas between them")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    chosen = [case for case in CASES if not options.cases or
              any(part in case for part in options.cases.split(","))]
    rows, missed = [], []
    with tempfile.TemporaryDirectory(prefix="reco-bystanders-") as folder, \
            Server(options.bin, os.path.join(folder, "data")) as server:
        say("making the bystanders' collection")
        figures(server.load("--prepare", "--workload", "topk", "--requests", "1000"))
        with Connection(server.port) as connection:
            add_pairs(connection, ((f"u{i % 997}", f"i{i * 7 % 9973}") for i in range(20_000)))
            connection.call("RECO.RETRAIN", HEAVY, "SYNC")
        for case in chosen:
            say(case)
            measured, took = [], []
            for _ in range(options.rounds):
                seen, counts = measure(server, case, options.seconds)
                measured.append(seen)
                took += counts
            for i, workload in enumerate(("PING", "TOPK")):
                row = {name: median([float(seen[i][name]) for seen in measured])
                       for name in GOALS}
                most = max(float(seen[i]["max-ms"]) for seen in measured)
                rows.append([case if i == 0 else "", workload, f"{row['p99-ms']:.2f}",
                             f"{row['p99.9-ms']:.2f}", f"{most:.1f}",
                             f"{1e3 * median(took):,.0f}" if i == 0 and took else "",
                             str(len(took)) if i == 0 else ""])
                over = [name for name, goal in GOALS.items() if row[name] > goal]
                if over:
                    missed.append(f"{case}: {workload} {', '.join(over)}")
    print(table(["beside", "bystander", "p99 ms", "p99.9 ms", "most ms", "it takes ms", "times"],
                rows))
    print(f"\nGoal: p99 at most {GOALS['p99-ms']:g} ms, p99.9 at most {GOALS['p99.9-ms']:g} ms; "
          + ("met." if not missed else "missed:"))
    for line in missed:
        print("- " + line)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
