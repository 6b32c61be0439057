#!/usr/bin/env python3
"""Runs clang-tidy over our own sources of a compile_commands.json; fails on any finding.

The compile commands carry -Wthread-safety and -Werror, so clang's thread-safety analysis is part
of the run. Sources of the third-party or generated kind are left out, and so are the tests unless
they are named: GoogleTest's macros would double the time.

usage: run_tidy.py BUILD_DIR [--jobs N] [PATH_PREFIX...]
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def own_sources(build, prefixes):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        paths = {os.path.join(e["directory"], e["file"]) for e in json.load(file)}
    relative = sorted(os.path.relpath(path, ROOT) for path in paths)
    return [path for path in relative
            if not path.startswith(("..", "build")) and path.startswith(tuple(prefixes))]


def tidy(build, path):
    start = time.monotonic()
    done = subprocess.run(["clang-tidy", "--quiet", "-p", build, path], cwd=ROOT, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return path, done.returncode, done.stdout, time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("prefixes", nargs="*", default=["src/", "tools/", "fuzz/"])
    args = parser.parse_intermixed_args()
    build = os.path.abspath(args.build)
    paths = own_sources(build, args.prefixes)
    failed, times = [], []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for path, code, output, seconds in pool.map(lambda p: tidy(build, p), paths):
            times.append((seconds, path))
            if code != 0:
                failed.append(path)
                print(output)
    for seconds, path in sorted(times, reverse=True)[:3]:
        print(f"slowest: {seconds:.1f} s {path}")
    print(f"clang-tidy: {len(paths)} sources, {len(failed)} with findings")
    for path in failed:
        print(f"  {path}")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
