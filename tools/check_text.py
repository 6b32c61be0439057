#!/usr/bin/env python3
"""Fail on what no text of the project may hold: bytes outside ASCII, trailing blanks, CRLF, notes
of unfinished work, lines past 100 columns (code) and files past 800 lines (code).

usage: check_text.py [ROOT]
"""
import os
import re
import sys

CODE = (".h", ".cc", ".c", ".py", ".sh", ".cmake")
OTHER = (".fbs", ".md", ".txt", ".conf", ".toml", ".go", ".rs", ".java", ".js", ".in")
SKIP_FOLDERS = {".git", "build", "corpus", "golden", "node_modules", "data", "target",
                "__pycache__"}
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
COLUMNS_MAX = 100
LINES_MAX = 800


def files(root):
    for base, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in SKIP_FOLDERS)
        for name in sorted(names):
            if name.endswith(CODE + OTHER) or name == "Makefile":
                yield os.path.relpath(os.path.join(base, name), root)


def findings(path, data):
    """(line number, what is wrong) of one file's bytes."""
    code = path.endswith(CODE)
    lines = data.split(b"\n")
    if code and len(lines) > LINES_MAX:
        yield LINES_MAX, f"{len(lines)} lines; split it by responsibility"
    for number, line in enumerate(lines, 1):
        if not line.isascii():
            yield number, "a byte outside ASCII"
            continue
        if line.endswith((b" ", b"\t", b"\r")):
            yield number, "trailing white space"
        if code and len(line) > COLUMNS_MAX:
            yield number, f"{len(line)} columns"
        if UNFINISHED.search(line.decode()):
            yield number, "a note of unfinished work"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    bad = 0
    for path in files(root):
        with open(os.path.join(root, path), "rb") as file:
            for number, what in findings(path, file.read()):
                print(f"{path}:{number}: {what}")
                bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
