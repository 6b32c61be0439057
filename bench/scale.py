#!/usr/bin/env python3
"""How the cost of a write behaves as data grow.

Run it as scripts/benchmark-scale.sh, which tells of the cases and the options.
"""
import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from connection import Connection, as_map
from tables import table

MIB = 1 << 20
STEPS = 20
BATCH = 100
# What rows take in memory, both sides, measured with all of them resident and 20 pairs a user. The
# row cache must be the same for two builds, so it follows from the events, not from a measurement.
ROW_BYTES_A_PAIR = 32
BLOCK_CACHE_A_EVENT = 128 * MIB / 20_000_000
WRITE_BUFFERS = 64 * MIB
GOAL = 1.5  # the first step's rate is at most so many times the last one's
TRAINING = ("iterations", "5")  # and the defaults of a collection otherwise
KEY = "bench"
CASES = {1: "no model, random users", 2: "no model, sessions of 10", 3: "model, rows fit",
         4: "model, rows 4 x cache", 5: "model, FOLDIN OFF, small cache"}


def fail(text):
    sys.exit(f"benchmark-scale: {text}")


def say(text=""):
    print(text, file=sys.stderr, flush=True)


class Server:
    """A reco-server over `folder`; a context, whose end stops it."""

    def __init__(self, programs, folder, row_cache, block_cache):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        started = time.monotonic()
        with open(folder + ".log", "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(programs, "reco-server"), "--port", str(self.port), "--dir", folder,
                 "--appendfsync", "everysec", "--row-cache-bytes", str(row_cache),
                 "--block-cache-bytes", str(block_cache),
                 "--write-buffer-bytes", str(WRITE_BUFFERS)], stdout=log, stderr=log)
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() - started > 600:
                self.process.kill()
                with open(folder + ".log", encoding="utf-8", errors="replace") as log:
                    fail("the server does not start:\n" + "".join(log.readlines()[-5:]))
            time.sleep(0.005)
        self.start_seconds = time.monotonic() - started

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(600)

    def answers(self):
        try:
            with Connection(self.port) as connection:
                return connection.call("PING") == "PONG"
        except (OSError, RuntimeError):  # RuntimeError: it is still loading
            return False

    def call(self, *words):
        with Connection(self.port) as connection:
            return connection.call(*words)

    def shutdown(self):
        """Stops it by SHUTDOWN; returns the seconds until the process is gone."""
        started = time.monotonic()
        try:
            self.call("SHUTDOWN")
        except OSError:
            pass  # there is no reply
        self.process.wait(600)
        return time.monotonic() - started

    def resident(self):
        """MiB now, and the most since reset_peak()."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            sizes = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", file.read(), re.MULTILINE))
        return int(sizes["VmRSS"]) / 1024, int(sizes["VmHWM"]) / 1024

    def reset_peak(self):
        with open(f"/proc/{self.process.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")

    def info(self):
        details = as_map(self.call("RECO.INFO", KEY))
        details["memory"] = as_map(details["memory"])
        return details

    def train(self):
        """What a training takes and how much memory is resident around it."""
        before, _ = self.resident()
        self.reset_peak()
        started = time.monotonic()
        self.call("RECO.RETRAIN", KEY, "SYNC", *TRAINING)
        seconds = time.monotonic() - started
        after, peak = self.resident()
        return {"seconds": seconds, "pairs": self.info()["interactions"], "rss-before-mib": before,
                "rss-peak-mib": peak, "rss-after-mib": after}


HEAD = (f"{'events':>12}  {'events/s':>9}  {'/ puts':>6}  {'p99 ms':>8}  {'client us':>9}  "
        f"{'RSS MiB':>9}  {'disk MiB':>9}  {'rows MiB':>9}  {'misses':>10}")


def step_line(step):
    return (f"{step['events']:>12,}  {step['rate']:>9,.0f}  {step['vs-puts']:>6.2f}  "
            f"{step['p99-ms']:>8.1f}  {step['client-us']:>9.2f}  {step['rss-mib']:>9,.1f}  "
            f"{step['disk-mib']:>9,.1f}  {step['rows-mib']:>9,.1f}  {step['row-misses']:>10,}")


class Benchmark:
    def __init__(self, args, folder):
        self.args = args
        self.folder = folder
        self.builds = {"new": args.bin}
        if args.against:
            self.builds = {"old": args.against, "new": args.bin}
        self.step = max(args.events // STEPS, 1)
        self.big_cache = max(2 * ROW_BYTES_A_PAIR * args.events, MIB)
        self.block_cache = max(round(BLOCK_CACHE_A_EVENT * args.events), MIB)
        self.puts = {}      # order: seconds an event, by step
        self.results = []   # of the cases, in the order of measurement
        self.after = {}     # build: training and restart of case 1
        self.events_in = {}  # build: events in the folder of case 3

    def small_cache(self, events):
        return max(ROW_BYTES_A_PAIR * events // 4, MIB)

    def stream(self, order):
        words = ["--users", str(self.args.users), "--items", str(self.args.items),
                 "--order", order, "--batch", str(BATCH)]
        return words + (["--users-by-power-law"] if self.args.users_by_power_law else [])

    def time_limit(self):
        return ["--time-limit", str(self.args.case_seconds)] if self.args.case_seconds else []

    def bulk_puts(self, order, steps):
        """RocksDB alone; a step is set beside its step of the same number, or its last one."""
        folder = os.path.join(self.folder, "puts")
        say(f"RocksDB's bulk puts of the same bytes, {order} order")
        done = subprocess.run(
            [os.path.join(self.args.bin, "bench_bulk_puts"), "--dir", folder,
             "--events", str(self.step * steps), "--steps", str(steps),
             "--block-cache-bytes", str(self.block_cache),
             "--write-buffer-bytes", str(WRITE_BUFFERS), *self.stream(order),
             *self.time_limit()],
            stdout=subprocess.PIPE, text=True, check=True)
        shutil.rmtree(folder)
        head, *lines = [line.split(",") for line in done.stdout.split()]
        steps = [dict(zip(head, map(float, line))) for line in lines]
        self.puts[order] = [1 / step["rate"] for step in steps]
        say(f"{'events':>12}  {'puts/s':>9}  {'disk MiB':>9}")
        for step in steps:
            say(f"{step['events']:>12,.0f}  {step['rate']:>9,.0f}  {step['disk-mib']:>9,.1f}")

    def fill(self, server, order, base, events, steps, shown=True):
        """Adds `events` events of the stream behind the first `base` ones; returns the steps."""
        words = [os.path.join(self.args.bin, "reco-benchmark"), "-p", str(server.port),
                 "-c", str(self.args.connections), "-P", str(self.args.pipeline),
                 "--key", KEY, "--fill", "--json", "--events", str(events), "--steps", str(steps),
                 "--skip", str(base), *self.stream(order), *self.time_limit()]
        found = []
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                step = json.loads(line)
                step["added"] = step["events"] - (found[-1]["events"] - base if found else 0)
                step["events"] += base
                place = min((step["events"] - 1) // self.step, len(self.puts[order]) - 1)
                step["vs-puts"] = step["rate"] * self.puts[order][place]
                step["puts-seconds"] = step["added"] * self.puts[order][place]
                found.append(step)
                if shown:
                    say(step_line(step))
        if process.returncode != 0 or not found:
            fail("reco-benchmark --fill failed")
        return found

    def add_result(self, case, build, server, steps, wanted):
        _, peak = server.resident()
        info = server.info()
        added = sum(step["added"] for step in steps)
        seconds = sum(step["added"] / step["rate"] for step in steps)
        # A step that the time limit cut short says little when it is very short.
        whole = [step for step in steps if 2 * step["added"] >= steps[0]["added"]]
        result = {
            "case": case, "what": CASES[case], "build": build, "events": added,
            "whole": added == wanted, "pairs": info["interactions"],
            "rate": added / seconds, "first-rate": whole[0]["rate"], "last-rate": whole[-1]["rate"],
            "first-over-last": whole[0]["rate"] / whole[-1]["rate"] if len(whole) > 1 else None,
            "vs-puts": sum(step["puts-seconds"] for step in steps) / seconds,
            "last-vs-puts": whole[-1]["vs-puts"], "rss-max-mib": peak,
            "disk-mib": steps[-1]["disk-mib"], "rows-mib": steps[-1]["rows-mib"],
            "row-bytes-a-pair": info["memory"]["rows"] / max(info["interactions"], 1),
            "misses": sum(step["row-misses"] for step in steps), "steps": steps}
        self.results.append(result)
        if not result["whole"]:
            say(f"  stopped by CASE_SECONDS after {added:,} of {wanted:,} events")

    def path(self, build, case):
        return os.path.join(self.folder, f"{build}-{case}")

    def start(self, build, case, row_cache):
        return Server(self.builds[build], self.path(build, case), row_cache, self.block_cache)

    def drop(self, build, case):
        shutil.rmtree(self.path(build, case))

    def without_model(self, case, build, order):
        with self.start(build, case, self.small_cache(self.args.events)) as server:
            server.call("RECO.CREATE", KEY)
            say(HEAD)
            steps = self.fill(server, order, 0, self.step * STEPS, STEPS)
            self.add_result(case, build, server, steps, self.step * STEPS)
            if case == 1:
                after = server.train()
                after["shutdown-seconds"] = server.shutdown()
        if case == 1:
            with self.start(build, case, self.small_cache(self.args.events)) as server:
                after["start-seconds"] = server.start_seconds
                after["start-rss-mib"], _ = server.resident()
            self.after[build] = after
        self.drop(build, case)

    def with_model(self, case, build):
        row_cache = self.big_cache if case == 3 else self.small_cache(self.args.events)
        quarter = STEPS // 4
        with self.start(build, case, row_cache) as server:
            server.call("RECO.CREATE", KEY, *(["FOLDIN", "OFF"] if case == 5 else []))
            loaded = self.fill(server, "random", 0, self.step * quarter, quarter,
                               shown=False)[-1]["events"]
            training = server.train()
            say(f"  {loaded:,} events trained in {training['seconds']:.1f} s")
            server.reset_peak()
            say(HEAD)
            rest = self.step * (STEPS - quarter)
            steps = self.fill(server, "random", loaded, rest, STEPS - quarter)
            self.add_result(case, build, server, steps, rest)
            self.events_in[build] = steps[-1]["events"]
        if case != 3 or 4 not in self.args.cases:
            self.drop(build, case)

    def going_on(self, build):
        """Case 4. Its steps are shorter, because a write may take far longer."""
        base, events = self.events_in[build], self.step * STEPS // 4
        with self.start(build, 3, self.small_cache(base)) as server:
            say(HEAD)
            steps = self.fill(server, "random", base, events, STEPS)
            self.add_result(4, build, server, steps, events)
        self.drop(build, 3)

    def run(self):
        if 2 in self.args.cases:
            self.bulk_puts("sessions", STEPS)
        if set(self.args.cases) != {2}:
            self.bulk_puts("random", STEPS + STEPS // 4)
        for number, case in enumerate(self.args.cases):
            order = list(self.builds)
            if number % 2:
                order.reverse()
            for build in order:
                say(f"case {case}: {CASES[case]}" + (f", {build}" if self.args.against else ""))
                if case <= 2:
                    self.without_model(case, build, "random" if case == 1 else "sessions")
                elif case == 4:
                    self.going_on(build)
                else:
                    self.with_model(case, build)


def name_of(result, many):
    return f"{result['case']} {result['what']}" + (f", {result['build']}" if many else "")


def over_goal(first_over_last):
    if first_over_last is None:
        return "-"
    return f"{first_over_last:.2f}" + ("" if first_over_last <= GOAL else " !")


def against_row(case, old, new):
    """The ratios over the steps that both have whole, or else over the first of each."""
    count = max(1, sum(a["added"] == b["added"] for a, b in zip(old["steps"], new["steps"])))
    old, new = old["steps"][:count], new["steps"][:count]

    def rate(steps):
        return sum(s["added"] for s in steps) / sum(s["added"] / s["rate"] for s in steps)

    def misses(steps):
        return sum(s["row-misses"] for s in steps)
    return ([f"{case} {CASES[case]}", f"{sum(s['added'] for s in new):,}",
             ratio(rate(new), rate(old)), ratio(new[0]["rate"], old[0]["rate"])] +
            [ratio(new[-1][name], old[-1][name]) for name in ("rate", "rss-mib", "disk-mib")] +
            [ratio(misses(new), misses(old))])


def summary(benchmark):
    many = len(benchmark.builds) > 1
    results = sorted(benchmark.results, key=lambda r: (r["case"], r["build"] == "new"))
    rows = [[name_of(r, many), f"{r['events']:,}" + ("" if r["whole"] else " (stopped)"),
             f"{r['first-rate']:,.0f}", f"{r['last-rate']:,.0f}",
             over_goal(r["first-over-last"]),
             f"{r['vs-puts']:.2f}", f"{r['last-vs-puts']:.2f}", f"{r['rss-max-mib']:,.0f}",
             f"{r['disk-mib']:,.0f}", f"{r['rows-mib']:,.0f}", f"{r['row-bytes-a-pair']:,.0f}",
             f"{r['misses']:,}"] for r in results]
    text = table(["case", "events", "first step /s", "last step /s", "first / last", "rate / puts",
                  "last step / puts", "RSS max MiB", "disk MiB", "rows MiB", "rows B a pair",
                  "misses"], rows)
    text += (f"\n\n'!': the last step's rate is below the first one's by more than {GOAL} times. "
             "Rows B a pair: rows in memory over\nall pairs, so that only case 3, which keeps them "
             "all, shows what a pair takes.\n")
    if many:
        by_name = {(r["case"], r["build"]): r for r in results}
        cases = sorted({r["case"] for r in results})
        rows = [against_row(case, by_name[case, "old"], by_name[case, "new"]) for case in cases]
        text += ("\nnew over old over the steps that both got through; of rates more is better, of "
                 "sizes less:\n\n")
        text += table(["case", "events", "events/s", "first step", "last step", "RSS", "disk",
                       "misses"], rows) + "\n"
    if benchmark.after:
        text += (f"\nTraining of case 1's data, {' '.join(TRAINING)}, d=64, and a restart of its "
                 "folder:\n\n") + table(
            ["build", "pairs", "training s", "RSS before MiB", "peak MiB", "after MiB",
             "shutdown s", "start s", "RSS MiB"],
            [[build, f"{a['pairs']:,}", f"{a['seconds']:.2f}", f"{a['rss-before-mib']:,.0f}",
              f"{a['rss-peak-mib']:,.0f}", f"{a['rss-after-mib']:,.0f}",
              f"{a['shutdown-seconds']:.2f}", f"{a['start-seconds']:.2f}",
              f"{a['start-rss-mib']:,.0f}"] for build, a in benchmark.after.items()]) + "\n"
    return text


def ratio(new, old):
    return f"{new / old:.2f}" if old else "-"


def load_average():
    return " ".join(f"{load:.2f}" for load in os.getloadavg())


def version(programs):
    done = subprocess.run([os.path.join(programs, "reco-server"), "--version"],
                          stdout=subprocess.PIPE, text=True, check=False)
    return (done.stdout.splitlines() or ["?"])[0]


def number_of(name, default):
    text = os.environ.get(name, "")
    if text and not re.fullmatch(r"[1-9][0-9]*", text):
        fail(f"{name} must be a whole number from 1 on")
    return int(text or default)


def arguments():
    parser = argparse.ArgumentParser(prog="benchmark-scale",
                                     description=__doc__.split("\n", 1)[0])
    parser.add_argument("--bin", required=True, help="folder of this build's binaries")
    parser.add_argument("--against", metavar="PATH", help="folder of another build's binaries")
    parser.add_argument("--full", action="store_true", help="20M events, no limit of time, case 5")
    parser.add_argument("--cases", help="such as 1,4")
    parser.add_argument("--users-by-power-law", action="store_true",
                        help="draw users, too, by a power law; otherwise all are as likely")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the tables")
    args = parser.parse_args()
    try:
        args.cases = sorted({int(case) for case in
                             (args.cases or ("1,2,3,4,5" if args.full else "1,2,3,4")).split(",")})
    except ValueError:
        args.cases = []
    if not args.cases or not set(args.cases) <= set(CASES):
        parser.error("--cases: numbers from 1 to 5 with commas between")
    if 4 in args.cases and 3 not in args.cases:
        args.cases = sorted([*args.cases, 3])
    args.events = number_of("EVENTS", 20_000_000 if args.full else 4_000_000)
    args.users = number_of("USERS", 1_000_000 if args.full else 200_000)
    args.items = number_of("ITEMS", 100_000)
    args.case_seconds = number_of("CASE_SECONDS", 0 if args.full else 60)
    args.connections = number_of("CONNECTIONS", 4)
    args.pipeline = number_of("PIPELINE", 4)
    needed = [os.path.join(args.bin, name)
              for name in ("reco-server", "reco-benchmark", "bench_bulk_puts")]
    if args.against:
        needed.append(os.path.join(args.against, "reco-server"))
    for program in needed:
        if not os.access(program, os.X_OK):
            fail(f"{program} is missing; run: make build")
    return args


def main():
    args = arguments()
    # Ends servers and removes folders on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    load_before = load_average()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="reco-scale.") as folder:
        benchmark = Benchmark(args, folder)
        benchmark.run()
    small = benchmark.small_cache(args.events)
    if args.json:
        print(json.dumps({
            "events": args.events, "users": args.users, "items": args.items, "batch": BATCH,
            "row-cache-bytes": small, "block-cache-bytes": benchmark.block_cache,
            "versions": {name: version(path) for name, path in benchmark.builds.items()},
            "load-before": load_before, "load-after": load_average(),
            "puts-rates": {order: [1 / seconds for seconds in steps]
                           for order, steps in benchmark.puts.items()},
            "cases": benchmark.results, "after-case-1": benchmark.after}, indent=1))
        return
    say()
    print(summary(benchmark))
    print(f"- {args.events:,} events, {args.users:,} users, {args.items:,} items, steps of "
          f"{benchmark.step:,}; row cache {small / MIB:,.0f} MiB (case 3 "
          f"{benchmark.big_cache / MIB:,.0f}), block cache {benchmark.block_cache / MIB:,.0f} MiB, "
          f"write buffers {WRITE_BUFFERS / MIB:,.0f} MiB.")
    print("- " + ", ".join(f"{name} {version(path)}" for name, path in benchmark.builds.items()) +
          f", {os.cpu_count()} cores, {time.monotonic() - started:.0f} s. Load average before "
          f"{load_before}, after {load_average()}.")


if __name__ == "__main__":
    main()
