#!/usr/bin/env python3
"""tools/check_limits.py against small trees: the forms of a number that it reads, and what it
refuses."""
import os
import subprocess
import sys
import tempfile
import unittest

CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/check_limits.py")

HEADER = "# Limits\n\n| what | set by | value | in | test |\n|---|---|---|---|---|\n"
ID = "| id | `kIdMax` | 512 bytes | `src/a.h` | tests/a_test.cc |"
CODE = """
inline constexpr std::size_t kIdMax = 512;
constexpr std::size_t kListMax =
    10'000;  // items; of a list
constexpr std::size_t kBytesMax = 64ULL << 20U;
constexpr std::size_t kTextMax = 64UL * 1024;
constexpr double kWeightMax = 1e6;
constexpr std::uint32_t kLast = 0xfffffffeU;
std::size_t kept_max = std::size_t{64} << 20;
constexpr std::size_t kTwice = kIdMax * 2;
"""
OPTIONS = """
| `maxclients` | `10000` | 1 to 5 | | x |
| `cache` | `512mb` | | | x |
| `kind` | `a 0` | | | x |
"""


class CheckLimits(unittest.TestCase):
    def check(self, rows):
        """(exit status, output) for a document of these rows."""
        given = {"doc/limits.md": HEADER + rows + "\n", "doc/options.md": OPTIONS,
                 "src/a.h": CODE, "tests/a_test.cc": ""}
        with tempfile.TemporaryDirectory() as root:
            for path, text in given.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            done = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.stderr, "")
            return done.returncode, done.stdout

    def accepted(self, rows):
        status, output = self.check(rows)
        self.assertEqual(status, 0, output)

    def refused(self, row, message):
        status, output = self.check(row)
        self.assertEqual(status, 1, output)
        self.assertEqual(output, f"doc/limits.md:5: {message}\n")

    def test_each_form_of_a_number(self):
        for name, value in (("kIdMax", "512"), ("kIdMax", "512 bytes"), ("kListMax", "10,000"),
                            ("kBytesMax", "64 MiB"), ("kTextMax", "64 KiB, of text"),
                            ("kWeightMax", "1e6"), ("kLast", "4,294,967,294"),
                            ("Some::kept_max", "64 MiB")):
            with self.subTest(name=name, value=value):
                self.accepted(f"| a | `{name}` | {value} | `src/a.h` | tests/a_test.cc |")

    def test_wrong_value(self):
        self.refused(ID.replace("512", "500"), "kIdMax is 512, not 500 bytes")
        self.refused(ID.replace("512 bytes", "512 KiB"), "kIdMax is 512, not 512 KiB")
        self.refused(ID.replace("512 bytes", "many"), "kIdMax is 512, not many")

    def test_missing_constant(self):
        self.refused(ID.replace("kIdMax", "kNone"), "src/a.h does not define kNone")
        # Only mentioned.
        self.refused(ID.replace("kIdMax", "items"), "src/a.h does not define items")

    def test_value_that_is_no_literal(self):
        self.refused(ID.replace("kIdMax", "kTwice"), "cannot read the value of kTwice in src/a.h")

    def test_missing_files(self):
        self.refused(ID.replace("src/a.h", "src/b.h"), "no such file: src/b.h")
        self.refused(ID.replace("a_test", "b_test"), "no such file: tests/b_test.cc")

    def test_a_row_names_its_test_or_says_none(self):
        self.accepted(ID.replace("tests/a_test.cc", "none yet"))
        self.refused(ID.replace("tests/a_test.cc", "here"),
                     "names no test, and does not say none")

    def test_a_row_names_what_sets_it(self):
        for set_by, where in (("the code", "`src/a.h`"), ("`kIdMax`", "")):
            self.refused(f"| id | {set_by} | 512 | {where} | tests/a_test.cc |",
                         "names neither a constant and its file nor an option")

    def test_options_show_their_defaults(self):
        self.accepted("| a | option `maxclients` | 10,000 | | tests/a_test.cc |\n"
                      "| b | option `cache` | 512 MiB | | none yet |\n"
                      "| c | option `kind` | none by default | | none yet |")
        self.refused("| a | option `maxclients` | 20,000 | | none yet |",
                     "option maxclients is 10,000, not 20,000")
        self.refused("| a | option `other` | 1 | | none yet |",
                     "doc/options.md has no option other")

    def test_other_tables_are_no_limits(self):
        self.accepted(ID + "\n\n| a | b |\n|---|---|\n| `kNone` | 1 |")

    def test_a_broken_row_and_an_empty_document(self):
        self.refused("| id | `kIdMax` | 512 |", "3 cells, not 5")
        status, output = self.check("")
        self.assertEqual((status, output), (1, "doc/limits.md: no limits found\n"))


if __name__ == "__main__":
    unittest.main()
