#!/usr/bin/env python3
"""tools/check_docs.py against small trees: files that are named and missing, and rooms of the
engine that are not described."""
import os
import subprocess
import sys
import tempfile
import unittest

CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/check_docs.py")

TREE = {
    "layers.txt": "src/base:\nsrc/engine/rows: src/base\n",
    "src/engine/rows/table.h": "// A table. See doc/engine/rows.md.\n",
    "src/engine/rows/table.cc": "",
    "src/engine/rows/sums.h": "// Sums.\n",
    "src/engine/rows/checks.cc": "",
    "doc/engine/rows.md": "| `table.h` | x |\n| `sums.h` | y |\n| `checks.cc` | z |\n",
}


class CheckDocs(unittest.TestCase):
    def check(self, at):
        """(exit status, output) for the tree with the files `at`; None takes one away."""
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**TREE, **at}.items():
                if text is not None:
                    os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                    with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                        file.write(text)
            done = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.stderr, "")
            return done.returncode, done.stdout

    def accepted(self, at):
        status, output = self.check(at)
        self.assertEqual(status, 0, output)

    def refused(self, at, message):
        status, output = self.check(at)
        self.assertEqual((status, output), (1, message + "\n"))

    def test_described_rooms_pass(self):
        self.accepted({})

    def test_named_files_exist(self):
        self.accepted({"README.md": "See `src/engine/rows/table.h`, [rows](doc/engine/rows.md)."})
        self.refused({"README.md": "See `src/engine/rows/gone.h`."},
                     "README.md: no such file: src/engine/rows/gone.h")
        self.refused({"doc/a.md": "[b](b.md)"}, "doc/a.md: no such file: b.md")
        self.refused({"src/base/a.h": "// See doc/gone.md.\n"},
                     "src/base/a.h: no such file: doc/gone.md")

    def test_a_room_has_a_page(self):
        self.refused({"layers.txt": TREE["layers.txt"] + "src/engine/lists: src/engine/rows\n",
                      "src/engine/lists/page.h": "// Pages.\n"},
                     "src/engine/lists: no page doc/engine/lists.md")

    def test_a_page_names_every_header_of_its_room(self):
        self.refused({"src/engine/rows/more.h": ""}, "doc/engine/rows.md: does not name more.h")
        self.refused({"src/engine/rows/more.cc": ""}, "doc/engine/rows.md: does not name more.cc")
        # A name without quotes is no entry.
        self.refused({"doc/engine/rows.md": "| `table.h` | `checks.cc` | sums.h |\n"},
                     "doc/engine/rows.md: does not name sums.h")

    def test_a_page_lists_no_missing_file(self):
        self.refused({"doc/engine/rows.md": TREE["doc/engine/rows.md"] + "| `old.h` | x |\n"},
                     "doc/engine/rows.md: src/engine/rows has no old.h")

    def test_a_header_names_the_page(self):
        self.refused({"src/engine/rows/table.h": "// A table.\n"},
                     "src/engine/rows: no header names doc/engine/rows.md")

    def test_a_page_has_a_room(self):
        self.refused({"doc/engine/old.md": "Gone.\n"},
                     "doc/engine/old.md: layers.txt has no such room")


if __name__ == "__main__":
    unittest.main()
