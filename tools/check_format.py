#!/usr/bin/env python3
"""Fail when a C++ source is not as clang-format writes it. usage: check_format.py [--fix]"""
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ("include", "src", "tools", "tests", "fuzz", "bench", "examples")


def sources():
    for folder in FOLDERS:
        for base, folders, names in os.walk(os.path.join(ROOT, folder)):
            folders[:] = [f for f in folders if f != "node_modules"]
            for name in sorted(names):
                if name.endswith((".h", ".cc", ".c")):
                    yield os.path.relpath(os.path.join(base, name), ROOT)


def main():
    program = shutil.which("clang-format")
    if program is None:
        print("clang-format is missing; scripts/install-deps.sh test installs it")
        return 1
    mode = ["-i"] if "--fix" in sys.argv[1:] else ["--dry-run", "-Werror"]
    return subprocess.run([program, "--style=file", *mode, *sources()], cwd=ROOT,
                          check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
