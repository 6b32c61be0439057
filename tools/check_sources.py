#!/usr/bin/env python3
"""Fail when a source or a test belongs to no target, so that nobody compiles or runs it.

Every .cc and .c file, and every test_*.py, must be named in the CMakeLists.txt of its folder or of
a folder above it. usage: check_sources.py [ROOT]
"""
import os
import re
import sys

FOLDERS = ("src", "tools", "tests", "fuzz", "bench", "examples")
SKIP_FOLDERS = {"node_modules", "target", "__pycache__"}
SOURCE = re.compile(r"(\.cc|\.c|(^|/)test_[^/]*\.py)$")


def sources(root):
    for folder in FOLDERS:
        for base, folders, names in os.walk(os.path.join(root, folder)):
            folders[:] = [f for f in folders if f not in SKIP_FOLDERS]
            for name in sorted(names):
                path = os.path.relpath(os.path.join(base, name), root)
                if SOURCE.search(path):
                    yield path


def is_named(root, path):
    """A CMakeLists.txt beside or above `path` names it, by its path from there or, for the rules
    that take a bare name (fuzz targets, Python tests), by that name."""
    folder = os.path.dirname(path)
    stem = os.path.splitext(os.path.basename(path))[0]
    while True:
        lists = os.path.join(root, folder, "CMakeLists.txt")
        if os.path.exists(lists):
            with open(lists, encoding="utf-8") as file:
                words = set(re.findall(r"[\w./+-]+", re.sub(r"#.*", "", file.read())))
            relative = os.path.relpath(path, folder or ".")
            if relative in words or (stem in words and relative == os.path.basename(path)):
                return True
            if any(word.endswith("/" + path) for word in words):
                return True
        if not folder:
            return False
        folder = os.path.dirname(folder)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    orphans = [path for path in sources(root) if not is_named(root, path)]
    for path in orphans:
        print(f"{path}: no CMakeLists.txt names it")
    return 1 if orphans else 0


if __name__ == "__main__":
    sys.exit(main())
