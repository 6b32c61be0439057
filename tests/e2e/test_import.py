"""reco-admin import: a file of interactions sent to a running server, and what its end says."""
import gzip
import json
import os
import subprocess
import tempfile
import unittest

import reco_e2e
from reco_e2e import as_map, reco_only

ADMIN = os.path.join(reco_e2e.BIN, "reco-admin")
REFUSED, USAGE, LOST = 1, 2, 4  # exit codes


@reco_only
class Import(reco_e2e.ServerTest):
    def setUp(self):
        super().setUp()
        self.connection = self.client()
        folder = tempfile.TemporaryDirectory(prefix="reco-import-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, content, name="f.csv"):
        with open(self.path(name), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return self.path(name)

    def run_import(self, path, *options, stdin=None, key="shop", columns=("user", "item")):
        command = [ADMIN, "-p", str(self.server.port), "--quiet", "import", key, path,
                   "--user", columns[0], "--item", columns[1], *options]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120,
                              check=False, cwd=self.folder)

    def imported(self, path, *options, code=0, **how):
        done = self.run_import(path, "--json", *options, **how)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def events(self, key="shop"):
        return as_map(self.connection.cmd("RECO.INFO", key))["last-seq"]

    @staticmethod
    def lines(count):
        return "user,item\n" + "".join(f"u{n},i{n}\n" for n in range(count))

    # --- The collection --------------------------------------------------------------------------

    def test_a_deleted_collection_is_imported_anew(self):
        path = self.write(self.lines(50))
        for delete in (("DEL", "shop"), ("UNLINK", "shop"), ("RENAME", "shop", "old"),
                       ("FLUSHALL",), ("PEXPIRE", "shop", "0"), ("SET", "shop", "text")):
            with self.subTest(delete=delete):
                self.assertEqual("done", self.imported(path)["end"])
                self.assertEqual(50, self.events())
                self.connection.cmd(*delete)
                if delete[0] == "SET":
                    self.assertEqual("refused", self.imported(path, code=REFUSED)["end"])
                    self.connection.cmd("DEL", "shop")
        self.connection.cmd("RECO.CREATE", "shop")
        self.assertEqual(50, self.imported(path)["sent"])

    def test_a_renamed_collection_keeps_what_was_imported(self):
        path = self.write(self.lines(50))
        self.imported(path)
        self.connection.cmd("RENAME", "shop", "store")
        self.assertEqual("already-imported", self.imported(path, key="store")["end"])
        self.assertEqual(50, self.events("store"))

    def test_a_collection_of_the_same_content_is_another_one(self):
        path = self.write(self.lines(50))
        self.imported(path)
        self.assertEqual(50, self.imported(path, key="other")["sent"])

    # --- The content -----------------------------------------------------------------------------

    def test_the_same_content_is_known_under_any_packing(self):
        path = self.write(self.lines(50))
        self.imported(path)
        packed = self.write(gzip.compress(self.lines(50).encode(), 9), "other.gz")
        without_end = self.write(self.lines(50).rstrip("\n"))
        for again in (path, packed, without_end):
            done = self.run_import(again)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertIn("imported before (50 lines)", done.stdout)
        self.assertEqual("already-imported",
                         self.imported("-", stdin=self.lines(50))["end"])
        with open(path, encoding="utf-8") as file:  # which cannot be opened again by its name
            done = subprocess.run([ADMIN, "-p", str(self.server.port), "import", "shop", "-",
                                   "--user", "user", "--item", "item"], stdin=file, timeout=60,
                                  capture_output=True, text=True, check=False)
        self.assertIn("imported before (50 lines)", done.stdout, done.stderr)
        self.assertEqual(50, self.events())

    def test_a_grown_file_sends_its_new_lines(self):
        self.imported(self.write(self.lines(50)))
        done = self.run_import(self.write(self.lines(70)))
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertRegex(done.stdout, r"^done: 20 interactions in .*, "
                                      r"behind 50 lines that an earlier import had finished")
        self.assertEqual(70, self.events())

    def test_a_mended_file_asks(self):
        text = self.lines(50)
        self.imported(self.write(text.replace("u7,i7\n", "u7\n")), code=LOST)
        self.assertEqual(49, self.events())
        for mended in (text, text.replace("u7,i7\n", "u7,\n")):  # also of the same size
            done = self.run_import(self.write(mended))
            self.assertEqual(USAGE, done.returncode, done.stderr)
            self.assertIn("changed version", done.stderr)
            for word in ("--again", "--resume-anyway", ".rejects"):
                self.assertIn(word, done.stderr)
            self.assertEqual("changed", self.imported(self.write(mended), code=USAGE)["end"])
        self.assertEqual(49, self.events())
        self.write("user,item\nu7,i7\n", "f.csv.rejects")
        self.imported(self.path("f.csv.rejects"))
        self.assertEqual(50, self.events())

    # --- Lost lines ------------------------------------------------------------------------------

    def test_lines_the_server_refuses_are_lost_and_can_be_sent_later(self):
        self.connection.cmd("RECO.CREATE", "shop", "TYPE", "view", "1")
        text = "user,item,kind\nann,lamp,view\nann,rug,buy\nbob,rug,view\n"
        done = self.run_import(self.write(text), "--type", "kind")
        self.assertEqual(LOST, done.returncode, done.stderr)
        self.assertNotIn("done", done.stdout)
        self.assertIn("line 3: ERR", done.stderr)
        self.assertEqual(2, self.events())
        rejects = self.path("f.csv.rejects")
        self.assertIn(rejects, done.stderr)
        self.connection.cmd("RECO.CONFIG", "shop", "SET", "type.buy", "3")
        self.assertEqual(1, self.imported(rejects, "--type", "kind")["sent"])
        # The file itself has nothing new.
        again = self.imported(self.path("f.csv"), "--type", "kind", code=LOST)
        self.assertEqual(("already-imported", 0), (again["end"], again["sent"]))
        self.assertEqual(3, self.events())

    def test_all_lines_lost(self):
        path = self.write("user,item\n" + "x\n" * 50)
        for _ in range(2):
            done = self.run_import(path)
            self.assertEqual(LOST, done.returncode, done.stdout)
            self.assertIn("50 lines were lost", done.stderr)
            self.assertNotIn("done", done.stdout)
        self.assertEqual(0, self.run_import(path, "--again", "--allow-errors", "50").returncode)
        self.assertEqual(LOST, self.run_import(path, "--again", "--allow-errors", "49").returncode)

    def test_the_import_runs_to_the_end(self):
        text = "user,item\n" + "x\n" * 500 + "ann,lamp\n"
        summary = self.imported(self.write(text), code=LOST)
        self.assertEqual(("lost-lines", 501, 1, 500, 10),
                         (summary["end"], summary["records"], summary["sent"], summary["lost"],
                          len(summary["lost-lines"])))
        stopped = self.imported(self.write(text), "--again", "--stop-after", "3", code=LOST)
        self.assertEqual("stopped", stopped["end"])
        self.assertEqual(1, self.events())

    def test_lost_lines_of_standard_input_are_kept_in_the_working_folder(self):
        summary = self.imported("-", stdin="user,item\nann,lamp\nx\n", code=LOST)
        self.assertRegex(summary["rejects"], r"^reco-rejects-\d{8}T\d{6}Z\.csv$")
        with open(self.path(summary["rejects"]), encoding="utf-8") as file:
            self.assertEqual("user,item\n#reco: line 3: 1 fields instead of 2\nx\n", file.read())

    def test_an_import_without_lost_lines_leaves_no_file(self):
        self.assertIsNone(self.imported(self.write(self.lines(5)))["rejects"])
        self.assertEqual(["f.csv"], os.listdir(self.folder))

    def test_rejects_of_tabs_and_json_are_read_as_their_files_are(self):
        tabs = self.imported(self.write('user\titem\nann\t"Heroes\nbob\n', "t.tsv"), code=LOST)
        self.assertEqual("t.tsv.rejects", os.path.basename(tabs["rejects"]))
        self.write('user\titem\nbob\tMix 12"\n', "t.tsv.rejects")
        self.assertEqual(1, self.imported(tabs["rejects"])["sent"])
        lost = self.imported(self.write('{"user":"u","item":"i"}\n{"user":"u"\n', "j.jsonl"),
                             code=LOST)
        with open(lost["rejects"], encoding="utf-8") as file:
            self.assertEqual('{"user":"u"', file.read().splitlines()[-1])
        self.write('#reco: line 2\n{"user":"v","item":"i"}\n', "j.jsonl.rejects")
        self.assertEqual(1, self.imported(lost["rejects"])["sent"])
        self.assertEqual(['"Heroes', 'Mix 12"', "i"], sorted(
            item.decode() for item in self.connection.cmd("RECO.POPULAR", "shop")))

    # --- Without sending -------------------------------------------------------------------------

    def test_check_sends_nothing(self):
        path = self.write("user,item,at\nann,lamp,1700000000\nx\nbob,lamp,1600000000\n")
        report = self.imported(path, "--check", "--time", "at", code=LOST)
        self.assertEqual((3, 2, 1, 2, 1, "s", 1_600_000_000_000, 1_700_000_000_000), tuple(
            report[name] for name in ("records", "events", "lost", "users", "items", "time-unit",
                                      "first-time", "last-time")))
        self.assertEqual("RECO.ADD shop ann lamp TS 1700000000000", report["first-events"][0])
        self.assertEqual(0, self.connection.cmd("DBSIZE"))
        self.assertEqual(["f.csv"], os.listdir(self.folder))
        alone = subprocess.run([ADMIN, "-p", "1", "import", "shop", path, "--user", "user",
                                "--item", "item", "--check", "--allow-errors", "1"],
                               capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(0, alone.returncode, alone.stderr)
        self.assertRegex(alone.stdout, r"(?m)^users +2$")

    def test_max_errors_is_gone(self):
        done = self.run_import(self.write(self.lines(1)), "--max-errors", "5")
        self.assertEqual(USAGE, done.returncode)


if __name__ == "__main__":
    unittest.main()
