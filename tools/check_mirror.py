#!/usr/bin/env python3
"""Fail when a header has no test, or a test no header.

tests/ mirrors the folders of src/ and tools/: src/index/score.h is tested by
tests/index/score_test.cc, tools/admin/titles.h by tests/tools/admin/titles_test.cc. A header that
is tested elsewhere, or has nothing to test, has a line in tests/mirror.txt:

    src/path/header.h  tests/path/that_covers_it_test.cc  # why
    src/path/header.h  -  # why there is nothing to test
    src/path  tests/path/topic_test.cc  # what of the folder as a whole it tests

usage: check_mirror.py [ROOT]
"""
import os
import re
import sys

MIRROR = "tests/mirror.txt"
LINE = re.compile(r"(\S+)\s+(\S+)\s+#\s+\S")


def files(root, folder, suffix):
    for base, folders, names in os.walk(os.path.join(root, folder)):
        folders.sort()
        for name in sorted(names):
            if name.endswith(suffix):
                yield os.path.relpath(os.path.join(base, name), root)


def own_test(header):
    """Where the test of the header's name lies."""
    return re.sub(r"^src/", "tests/", re.sub(r"^tools/", "tests/tools/", header))[:-2] + "_test.cc"


def lines(root):
    """(line number, what is tested, by what) of mirror.txt; the latter None for a bad line."""
    path = os.path.join(root, MIRROR)
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip() and not line.startswith("#"):
                found = LINE.match(line)
                yield (number, *(found.groups() if found else (line.strip(), None)))


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    headers = [header for folder in ("src", "tools") for header in files(root, folder, ".h")]
    tests = list(files(root, "tests", "_test.cc"))
    own = {own_test(header): header for header in headers}
    covered, named, bad = {}, set(), []
    for number, tested, test in lines(root):
        where = f"{MIRROR}:{number}"
        if test is None:
            bad.append(f"{where}: not <header> <test> # <why>: {tested}")
            continue
        is_header = tested.endswith(".h")
        if not (os.path.isfile if is_header else os.path.isdir)(os.path.join(root, tested)):
            bad.append(f"{where}: no such {'header' if is_header else 'folder'}: {tested}")
        elif test == "-" and not is_header:
            bad.append(f"{where}: a folder needs a test: {tested}")
        elif test != "-" and not os.path.isfile(os.path.join(root, test)):
            bad.append(f"{where}: no such test: {test}")
        elif is_header and own_test(tested) in tests:
            bad.append(f"{where}: stale, {own_test(tested)} tests {tested}")
        elif is_header and tested in covered:
            bad.append(f"{where}: {tested} stands in line {covered[tested]}")
        elif not is_header and test in own:
            bad.append(f"{where}: stale, {test} tests {own[test]}")
        if is_header:
            covered.setdefault(tested, number)
        named.add(test)
    bad += [f"{header}: neither {own_test(header)} nor a line in {MIRROR}" for header in headers
            if own_test(header) not in tests and header not in covered]
    bad += [f"{test}: mirrors no header and stands not in {MIRROR}" for test in tests
            if test not in own and test not in named]
    mirrored = sum(test in own for test in tests)
    print("\n".join(bad) if bad else f"{mirrored} of {len(headers)} headers have tests of their "
          f"own, {len(covered)} stand in {MIRROR}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
