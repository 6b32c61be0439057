#!/usr/bin/env python3
"""tools/check_mirror.py against small trees: every way in which tests and headers can part."""
import os
import subprocess
import sys
import tempfile
import unittest

CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/check_mirror.py")

TREE = {"src/index/score.h": "", "tests/index/score_test.cc": "",
        "tools/admin/titles.h": "", "tests/tools/admin/titles_test.cc": "",
        "src/index/metric.h": "", "src/index/block.h": "", "tests/index/exact_test.cc": "",
        "include/reco/status.h": "", "tests/base/status_test.cc": ""}
MIRROR = """# A comment.

include/reco/status.h  tests/base/status_test.cc  # installed
src/index/metric.h  -  # constants
src/index/block.h  tests/index/score_test.cc  # scores of blocks
src/index  tests/index/exact_test.cc  # against brute force
"""


class CheckMirror(unittest.TestCase):
    def check(self, at, mirror):
        """(exit status, output) for the tree above with the files `at`; None takes one away."""
        given = {path: text for path, text in {**TREE, "tests/mirror.txt": mirror, **at}.items()
                 if text is not None}
        with tempfile.TemporaryDirectory() as root:
            for path, text in given.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            done = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.stderr, "")
            return done.returncode, done.stdout

    def refused(self, message, at=None, line=""):
        status, output = self.check(at or {}, MIRROR + line)
        self.assertEqual(output, message + "\n")
        self.assertEqual(status, 1)

    def test_everything_in_its_place(self):
        status, output = self.check({}, MIRROR)
        self.assertEqual(status, 0, output)
        self.assertEqual(output, "2 of 4 headers have tests of their own, 3 stand in "
                                 "tests/mirror.txt\n")

    def test_header_without_test_or_line(self):
        self.refused("src/index/heap.h: neither tests/index/heap_test.cc nor a line in "
                     "tests/mirror.txt", {"src/index/heap.h": ""})
        self.refused("tools/admin/mask.h: neither tests/tools/admin/mask_test.cc nor a line in "
                     "tests/mirror.txt", {"tools/admin/mask.h": ""})

    def test_a_test_of_the_name_in_another_folder_does_not_count(self):
        self.refused("src/model/score.h: neither tests/model/score_test.cc nor a line in "
                     "tests/mirror.txt", {"src/model/score.h": ""})

    def test_line_of_a_missing_header_test_or_folder(self):
        for line, message in (
                ("src/index/no.h  -  # gone", "no such header: src/index/no.h"),
                ("src/no  tests/index/exact_test.cc  # gone", "no such folder: src/no"),
                ("src/index/heap.h  tests/index/no_test.cc  # gone",
                 "no such test: tests/index/no_test.cc")):
            with self.subTest(line):
                heap = {"src/index/heap.h": ""} if "heap" in line else {}
                self.refused("tests/mirror.txt:7: " + message, heap, line + "\n")

    def test_line_of_a_header_with_a_test_of_its_own_is_stale(self):
        self.refused("tests/mirror.txt:7: stale, tests/index/score_test.cc tests src/index/score.h",
                     line="src/index/score.h  tests/index/exact_test.cc  # scores\n")
        self.refused("tests/mirror.txt:7: stale, tests/index/score_test.cc tests src/index/score.h",
                     line="src/index  tests/index/score_test.cc  # scores\n")

    def test_header_stands_once(self):
        self.refused("tests/mirror.txt:7: src/index/block.h stands in line 5",
                     line="src/index/block.h  -  # nothing\n")

    def test_line_needs_a_test_and_a_reason(self):
        for line in ("src/index/heap.h", "src/index/heap.h  tests/index/exact_test.cc",
                     "src/index/heap.h  tests/index/exact_test.cc  #"):
            with self.subTest(line):
                self.refused("tests/mirror.txt:7: not <header> <test> # <why>: " + line,
                             line=line + "\n")
        self.refused("tests/mirror.txt:7: a folder needs a test: src/index",
                     line="src/index  -  # nothing\n")

    def test_test_that_mirrors_nothing(self):
        self.refused("tests/index/speed_test.cc: mirrors no header and stands not in "
                     "tests/mirror.txt", {"tests/index/speed_test.cc": ""})
        # Neither does the test of a header that is gone.
        self.refused("tests/index/score_test.cc: mirrors no header and stands not in "
                     "tests/mirror.txt", {"src/index/score.h": None,
                                          "tests/mirror.txt": MIRROR.replace(
                                              "score_test.cc", "exact_test.cc")})

    def test_without_the_list_every_header_needs_its_test(self):
        status, output = self.check({"tests/mirror.txt": None}, "")
        self.assertEqual(status, 1)
        self.assertEqual(len(output.splitlines()), 4, output)


if __name__ == "__main__":
    unittest.main()
