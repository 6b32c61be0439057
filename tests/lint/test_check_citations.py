#!/usr/bin/env python3
"""tools/check_citations.py against small trees: what it refuses, and what it must not take for a
citation."""
import os
import subprocess
import sys
import tempfile
import unittest

CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/check_citations.py")

ARCHITECTURE = """# Architecture

## Invariants

| | what always holds | held by |
|---|---|---|
| I1 | Numbers ascend (D2). | here |
| I2 | Nothing is lost. | there |
"""
DECISIONS = """# Decisions

**D1. No family of ids.** Rejected: D9. **D2. The key space lives in memory**, as I8 does.
"""
PAGED = DECISIONS + """
**D13.** [Codes](0013-codes.md).
"""
PAGE = "# D13. Codes\n\nUnlike D9.\n"
CITED = "// Ascends (I1). Keeps I2, as D1 says.\nint a;\n"


class CheckCitations(unittest.TestCase):
    def check(self, at):
        """(exit status, output) for a tree of the files `at`, beside the three above."""
        given = {"doc/architecture.md": ARCHITECTURE, "doc/decisions/README.md": DECISIONS,
                 "src/a.cc": CITED, **at}
        with tempfile.TemporaryDirectory() as root:
            for path, text in given.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            done = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.stderr, "")
            return done.returncode, done.stdout

    def refused(self, at, message):
        status, output = self.check(at)
        self.assertEqual(status, 1, output)
        self.assertEqual(output, message + "\n")

    def accepted(self, at):
        status, output = self.check(at)
        self.assertEqual(status, 0, output)

    def test_known_citations_pass(self):
        self.accepted({})

    def test_unknown_citation_in_each_folder_and_form(self):
        for path, text in (("src/b.cc", "int b;  // pinned (I3)\n"),
                           ("include/reco/b.h", "// As I3 says.\n"),
                           ("tools/b.py", "# as of (I2, I3)\n"),
                           ("tools/c.py", '"""Held by I3."""\n'),
                           ("bench/b.cc", "/* Reads\n   no disk (D2; I3). */\n"),
                           ("tests/CMakeLists.txt", "# I3: nothing\n")):
            with self.subTest(path):
                line = 2 if path == "bench/b.cc" else 1
                self.refused({path: text}, f"{path}:{line}: no document states I3")

    def test_unknown_decision(self):
        # D9 and I8 are only mentioned.
        for name in ("D3", "D9", "I8"):
            self.refused({"src/b.h": f"\n// See ({name}).\n"},
                         f"src/b.h:2: no document states {name}")

    def test_unknown_invariant_of_a_check(self):
        self.refused({"src/b.cc": 'void B() {\n  RECO_DCHECK(F(1, "),"), "I3");\n}\n'},
                     "src/b.cc:2: no document states I3")
        self.refused({"src/b.cc": 'void B() {\n  RECO_DCHECK(a < b,\n              "I44");\n}\n'},
                     "src/b.cc:2: no document states I44")

    def test_a_check_names_an_invariant(self):
        self.refused({"src/b.cc": 'void B() { RECO_DCHECK(a < b, "D1"); }\n'},
                     "src/b.cc:1: RECO_DCHECK names D1, not an invariant")
        self.refused({"src/b.cc": 'void B() { RECO_DCHECK(a < b, "sorted"); }\n'},
                     "src/b.cc:1: RECO_DCHECK names sorted, not an invariant")

    def test_every_invariant_is_cited_in_src(self):
        self.refused({"src/a.cc": "// I1\n", "tests/a.cc": "// I2\n"},
                     "doc/architecture.md: nothing in src cites I2")
        # A check is a citation as well; code and strings are not.
        self.accepted({"src/a.cc": 'void A() { RECO_DCHECK(a, "I1"); RECO_DCHECK(b, "I2"); }\n'})
        self.refused({"src/a.cc": '// I1\nint I2 = 0; const char* b = "(I2)";\n'},
                     "doc/architecture.md: nothing in src cites I2")

    def test_what_is_no_citation(self):
        self.accepted({
            "src/b.cc": "// O(N*D7) or D^2, I/O, 0xD9, D7_t, D7[3], D7(x), D7 = 3? ID7, I-7, I9.5\n"
                        "// v.D8, I7::kMax, `D8`, D07\n"
                        'template <typename D7> void B(D7 I9) { Log("see (D7)"); }\n'
                        "const char* c = R\"(// (I9))\"; const char d = '\"';  // \" (I1)\n"
                        "int e = 1'000;  // D1\n"
                        "#define RECO_DCHECK(condition, invariant) Broken(invariant)\n",
            "tests/b.py": 'TEXT = "# (I9)"\nI9 = 0x1D9\n'})

    def test_an_apostrophe_hides_no_comment(self):
        self.refused({"src/b.cc": "int b = 1'000'000;  // (I3)\n"},
                     "src/b.cc:1: no document states I3")
        self.refused({"src/b.cc": "char b = '\"';  // (I3)\n"},
                     "src/b.cc:1: no document states I3")

    def test_a_decision_may_have_a_page(self):
        paged = {"doc/decisions/README.md": PAGED, "doc/decisions/0013-codes.md": PAGE}
        self.accepted({**paged, "src/b.cc": "// (D13), and D2\n"})
        # What a page mentions it does not state.
        self.refused({**paged, "src/b.cc": "// (D9)\n"}, "src/b.cc:1: no document states D9")

    def test_page_and_line_agree_on_the_number(self):
        readme, page = "doc/decisions/README.md", "doc/decisions/0013-codes.md"
        for at, message in (
                ({readme: PAGED.replace("D13", "D14"), page: PAGE},
                 f"{readme}: links 0013-codes.md as D14"),
                ({readme: PAGED, page: PAGE.replace("D13", "D14")},
                 f"{page}: the heading says D14"),
                ({readme: PAGED, page: "Codes\n"},
                 f'{page}: does not begin with "# D13. "'),
                ({readme: PAGED}, f"{readme}: no page 0013-codes.md"),
                ({page: PAGE}, f"{readme}: no line links 0013-codes.md"),
                ({"doc/decisions/D13-codes.md": PAGE},
                 "doc/decisions/D13-codes.md: not named NNNN-title.md")):
            with self.subTest(message):
                self.refused(at, message)

    def test_a_number_is_stated_once(self):
        self.refused({"doc/decisions/README.md": DECISIONS + "\n**D1. Another.**\n"},
                     "doc/decisions/README.md: D1 is stated twice")
        self.refused({"doc/decisions/README.md": DECISIONS + "\n**D2.** [Keys](0002-keys.md)\n",
                      "doc/decisions/0002-keys.md": "# D2. Keys\n"},
                     "doc/decisions/README.md: D2 is stated twice")
        self.refused({"doc/architecture.md": ARCHITECTURE + "| I1 | Again. | there |\n"},
                     "doc/architecture.md: I1 is stated twice")

    def test_two_pages_of_one_number(self):
        self.refused({"doc/decisions/README.md": PAGED, "doc/decisions/0013-codes.md": PAGE,
                      "doc/decisions/0013-more.md": PAGE},
                     "doc/decisions/README.md: no line links 0013-more.md")

    def test_no_invariants_at_all_is_an_error(self):
        self.refused({"doc/architecture.md": "# Nothing\n", "src/a.cc": "int a;\n"},
                     "doc/architecture.md: no invariants found")


if __name__ == "__main__":
    unittest.main()
