#!/usr/bin/env python3
"""Fail when a document made from the tables of the code is stale.

usage: check_generated.py RECO_DOCS [--fix]     RECO_DOCS is the program that prints the documents
"""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCUMENTS = {"commands": "doc/commands.md", "options": "doc/options.md", "config": "reco.conf"}


def main():
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    stale = 0
    for name, path in DOCUMENTS.items():
        expected = subprocess.run([sys.argv[1], name], stdout=subprocess.PIPE, check=True).stdout
        full = os.path.join(ROOT, path)
        found = open(full, "rb").read() if os.path.exists(full) else b""
        if found == expected:
            continue
        if "--fix" in sys.argv[2:]:
            with open(full, "wb") as file:
                file.write(expected)
            print(f"{path} written")
        else:
            print(f"{path} is not what the code says; `make docs` writes it")
            stale += 1
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
