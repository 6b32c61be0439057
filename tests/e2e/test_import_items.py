"""reco-admin import-items: a file of items stored with a running server."""
import glob
import gzip
import json
import os
import subprocess
import tempfile
import unittest

import reco_e2e
from reco_e2e import as_map, reco_only, text

ADMIN = os.path.join(reco_e2e.BIN, "reco-admin")
LOST = 4  # exit code: more lines lost than allowed
SURVEY_LINES = 10_000


@reco_only
class ImportItems(reco_e2e.ServerTest):
    def setUp(self):
        super().setUp()
        self.connection = self.client()

    def write(self, content):
        file = tempfile.NamedTemporaryFile("wb", suffix=".csv", delete=False)
        self.addCleanup(self.remove, file.name)
        with file:
            file.write(content.encode() if isinstance(content, str) else content)
        return file.name

    @staticmethod
    def remove(path):
        for name in glob.glob(path + "*"):  # with what was lost of it
            os.unlink(name)

    def run_import(self, *options, content=None, stdin=None, item="item", key="shop"):
        """Imports `content` as a file, or `stdin` as a stream."""
        path = "-" if content is None else self.write(content)
        command = [ADMIN, "-p", str(self.server.port), "--quiet", "import-items", key, path,
                   "--item", item, *options]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120,
                              check=False, cwd=self.server.base)

    def imported(self, content, *options, code=0, **how):
        done = self.run_import("--json", *options, content=content, **how)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def streamed(self, stdin, *options, code=0):
        done = self.run_import("--json", *options, stdin=stdin)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def attributes(self, item, key="shop"):
        record = as_map(self.connection.cmd("RECO.ITEM", "GET", key, item))
        return json.loads(record["attributes"])

    def kept_types(self, key="shop"):
        return text(self.connection.cmd("RECO.CONFIG", key, "GET", "attribute-types"))[1]

    def matching(self, expression):
        return sorted(text(self.connection.cmd("RECO.POPULAR", "shop", "FILTER", expression)))

    # --- Merging ---------------------------------------------------------------------------------

    def test_merges_by_default(self):
        self.imported("item,title,price\nlamp,Lamp,8\ndesk,Desk,70\n")
        self.connection.cmd("RECO.ITEM", "SET", "shop", "lamp", "HIDDEN", 1)
        summary = self.imported("item,price\nlamp,9\nrug,\n")
        self.assertEqual(("done", 2, 2, 0, []), tuple(
            summary[name] for name in ("end", "records", "sent", "lost", "lost-lines")))
        self.assertEqual({"title": "Lamp", "price": 9}, self.attributes("lamp"))
        self.assertEqual({"title": "Desk", "price": 70}, self.attributes("desk"))
        self.assertEqual({}, self.attributes("rug"))
        record = as_map(self.connection.cmd("RECO.ITEM", "GET", "shop", "lamp"))
        self.assertEqual(1, record["hidden"])

    def test_an_empty_cell_changes_nothing(self):
        self.imported("item,title,price\nlamp,Lamp,8\n")
        self.imported("item,title,price\nlamp,,9\n")
        self.assertEqual({"title": "Lamp", "price": 9}, self.attributes("lamp"))

    def test_replaces_when_asked_to(self):
        self.imported("item,title,price\nlamp,Lamp,8\n")
        self.imported("item,title,price\nlamp,,9\n", "--replace")
        self.assertEqual({"price": 9}, self.attributes("lamp"))

    # --- Types -----------------------------------------------------------------------------------

    def test_a_column_has_one_type(self):
        summary = self.imported(
            "item,price,sold,flag,code,id,mixed,amount,version,none\n"
            "a,1,true,TRUE,00123,123456789012345678,true,47e2210,1.10,\n"
            "b,2.5,false,FALSE,123,123456789012345679,False,5,1.1,\n"
            "c,-3,,TRUE,12E5,7,true,6,2,\n")
        types = {"price": "number", "sold": "boolean", "flag": "boolean", "code": "text",
                 "id": "number", "mixed": "text", "amount": "text", "version": "text", "none": None}
        self.assertEqual(types, summary["types"])
        self.assertEqual({"price": 1, "sold": True, "flag": True, "code": "00123",
                          "id": 123456789012345678, "mixed": "true", "amount": "47e2210",
                          "version": "1.10"}, self.attributes("a"))
        self.assertEqual({"price": -3, "flag": True, "code": "12E5", "id": 7, "mixed": "true",
                          "amount": "6", "version": "2"}, self.attributes("c"))
        self.assertEqual("price:number,sold:boolean,flag:boolean,code:text,id:number,mixed:text,"
                         "amount:text,version:text", self.kept_types())

    def test_filters_tell_values_apart(self):
        self.imported("item,sold,code,id,price\n"
                      "a,true,00123,123456789012345678,2\nb,false,123,123456789012345679,10\n"
                      "c,false,12E5,123456789012345680,1\nd,true,1200000,-5,0.5\n"
                      "e,false,1.10,5,0\nf,false,1.1,6,0\n")
        for item in "abcdef":
            self.connection.cmd("RECO.ADD", "shop", "ann", item)
        for expression, items in [
                (".sold", "ad"), ("not .sold", "bcef"), (".sold == true", "ad"),
                ('.code == "123"', "b"), ('.code == "00123"', "a"), ('.code == "1200000"', "d"),
                ('.code == "1.1"', "f"), (".id == 123456789012345678", "a"),
                (".id > 123456789012345678", "bc"), (".price < 2", "cdef"), (".price >= 2", "ab")]:
            with self.subTest(expression=expression):
                self.assertEqual(list(items), self.matching(expression))

    def test_json_says_itself_what_is_a_number(self):
        lines = [{"item": "a", "price": 2.50, "code": "5", "sold": True, "word": "true"},
                 {"item": "b", "price": 1, "code": "6", "sold": False, "word": "no"}]
        content = "\n".join(json.dumps(line) for line in lines).replace("2.5", "2.50") + "\n"
        summary = self.streamed(content)
        self.assertEqual({"price": "number", "code": "text", "sold": "boolean", "word": "text"},
                         summary["types"])
        ids = [12345678901234567890, 12345678901234567891]
        self.streamed("".join(json.dumps({"item": str(id), "id": id}) + "\n" for id in ids))
        self.assertEqual({"id": str(ids[0])}, self.attributes(str(ids[0])))
        self.assertEqual({"price": 2.5, "code": "5", "sold": True, "word": "true"},
                         self.attributes("a"))

    def test_all_of_a_file_decides(self):
        lines = ["item,code"] + [f"i{n},{n}" for n in range(SURVEY_LINES + 10)] + ["last,007"]
        summary = self.imported("\n".join(lines) + "\n")
        self.assertEqual({"code": "text"}, summary["types"])
        self.assertEqual(0, summary["lost"])
        self.assertEqual({"code": "5"}, self.attributes("i5"))
        self.assertEqual({"code": "007"}, self.attributes("last"))

    def test_a_compressed_file_is_read_twice_too(self):
        summary = self.imported(gzip.compress(b"item,code\na,7\nb,x\n"))
        self.assertEqual({"code": "text"}, summary["types"])
        self.assertEqual({"code": "7"}, self.attributes("a"))

    def test_the_first_lines_of_a_stream_decide(self):
        lines = ["item,code,late"] + [f"i{n},{n}," for n in range(SURVEY_LINES)]
        lines += ["x,12,", "y,00123,", "z,13,5", "w,14,word"]
        summary = self.streamed("\n".join(lines) + "\n", code=LOST)
        self.assertEqual({"code": "number", "late": "number"}, summary["types"])
        self.assertEqual(len(lines) - 1, summary["records"])
        self.assertEqual((len(lines) - 3, 2), (summary["sent"], summary["lost"]))
        self.assertEqual([SURVEY_LINES + 3, SURVEY_LINES + 5],
                         [bad["line"] for bad in summary["lost-lines"]])
        message = summary["lost-lines"][0]["message"]
        for part in ("'code'", "number", "'00123'"):
            self.assertIn(part, message)
        self.assertIsNone(self.connection.cmd("RECO.ITEM", "GET", "shop", "y"))
        self.assertEqual({"code": 13, "late": 5}, self.attributes("z"))
        self.assertEqual("code:number,late:number", self.kept_types())

    def test_standard_input_may_be_a_file(self):
        path = self.write("item,code\na,7\nb,x\n")
        with open(path, encoding="utf-8") as file:
            done = subprocess.run([ADMIN, "-p", str(self.server.port), "import-items", "shop", "-",
                                   "--item", "item"], stdin=file, capture_output=True, text=True,
                                  timeout=60, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual({"code": "7"}, self.attributes("a"))

    def test_types_of_an_earlier_import_win(self):
        self.imported("item,price,code,sold\na,1,x,true\n")
        summary = self.imported("item,price,code,sold\nb,2,7,False\nc,n/a,8,true\nd,3,9,maybe\n"
                                "e,1.10,9,true\n", code=LOST)
        self.assertEqual({"price": "number", "code": "text", "sold": "boolean"}, summary["types"])
        self.assertEqual([3, 4, 5], [bad["line"] for bad in summary["lost-lines"]])
        self.assertIn("column 'price' is of type number by an earlier import, and 'n/a' is",
                      summary["lost-lines"][0]["message"])
        self.assertIn("--types 'price:number' takes it", summary["lost-lines"][2]["message"])
        self.assertEqual({"price": 2, "code": "7", "sold": False}, self.attributes("b"))
        for item in "cde":
            self.assertIsNone(self.connection.cmd("RECO.ITEM", "GET", "shop", item))

    def test_types_that_are_given_win_over_all(self):
        self.imported("item,price,code\na,1,7\n")
        summary = self.imported("item,price,code,size\nb,x,8,2.50\nc,y,12E5,1.10\n", "--types",
                                "price:text,size:number", code=LOST)
        self.assertEqual({"price": "text", "code": "number", "size": "number"}, summary["types"])
        self.assertEqual([3], [bad["line"] for bad in summary["lost-lines"]])
        self.assertEqual({"price": "x", "code": 8, "size": 2.5}, self.attributes("b"))
        self.assertEqual("price:text,code:number,size:number", self.kept_types())
        # And hold from then on.
        self.assertEqual({"price": "text"}, self.imported("item,price\nb,5\n")["types"])
        self.assertEqual("5", self.attributes("b")["price"])

    def test_warns_of_a_type_that_changes(self):
        self.imported("item,price,code\na,1,7\n")
        done = self.run_import("--types", "price:text,code:number",
                               content="item,price,code\nb,2,8\n")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(["reco-admin: warning: column 'price' was of type number until now: what "
                          "was imported before keeps it"], done.stderr.splitlines())

    def test_bad_types_are_refused(self):
        for types, message in [("price", "name:type"), ("price:float", "'float'"),
                               ("nosuch:text", "'nosuch'"), ("item:text", "'item'"),
                               ("price:text,price:number", "twice")]:
            with self.subTest(types=types):
                done = self.run_import("--types", types, content="item,price\na,1\n")
                self.assertEqual(2, done.returncode, done.stdout + done.stderr)
                self.assertIn(message, done.stderr)
                self.assertEqual(0, self.connection.cmd("EXISTS", "shop"))

    def test_types_go_with_the_collection(self):
        self.imported('item,"a, b",price\nx,1,2\n')
        self.assertEqual('"a, b":number,price:number', self.kept_types())
        self.connection.cmd("RENAME", "shop", "store")
        self.assertEqual('"a, b":number,price:number', self.kept_types("store"))
        self.server.kill9()
        self.server.start()
        self.connection = self.client()
        self.assertEqual('"a, b":number,price:number', self.kept_types("store"))
        self.imported("item,price\nx,word\n")  # another collection
        self.assertEqual("price:text", self.kept_types())
        self.connection.cmd("DEL", "store")
        self.imported("item,price\nx,word\n", key="store")
        self.assertEqual("price:text", self.kept_types("store"))

    def test_columns_of_other_files_keep_their_types(self):
        self.imported("item,price\na,1\n")
        self.imported("item,code\na,x\n")
        self.assertEqual("price:number,code:text", self.kept_types())

    def test_a_collection_keeps_its_parameters(self):
        self.connection.cmd("RECO.CREATE", "shop", "DIM", 8, "FEEDBACK", "EXPLICIT")
        self.imported("item,price\na,1\n")
        self.assertEqual("price:number", self.kept_types())
        self.assertEqual(8, as_map(self.connection.cmd("RECO.INFO", "shop"))["dim"])

    def test_nothing_good_creates_nothing(self):
        self.imported("item,price\n,1\n", code=LOST)
        self.assertEqual(0, self.connection.cmd("EXISTS", "shop"))

    def test_too_many_names_are_not_kept_but_imported(self):
        names = [f"a-rather-long-name-of-a-column-{n}" for n in range(300)]
        done = self.run_import(content="item," + ",".join(names) + "\nx" + ",1" * 300 + "\n")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("are not kept", done.stderr)
        self.assertEqual(300, len(self.attributes("x")))
        self.assertEqual("", self.kept_types())

    # --- Names, lost lines, output ---------------------------------------------------------------

    def test_warns_of_names(self):
        done = self.run_import(content="item,,price,price, size,ok\na,1,2,3,4,5\n")
        self.assertEqual(0, done.returncode, done.stderr)
        warnings = [line for line in done.stderr.splitlines() if "warning" in line]
        self.assertEqual(3, len(warnings), done.stderr)
        for part, line in zip(("column 2 has no name", "columns 3 and 4", "' size'"), warnings):
            self.assertIn(part, line)
        self.assertEqual({"price": 3, " size": 4, "ok": 5}, self.attributes("a"))

    def test_an_unclear_id_is_refused(self):
        done = self.run_import(content="item,price,item\na,1,b\n")
        self.assertEqual(2, done.returncode, done.stdout + done.stderr)
        self.assertIn("columns 1 and 3", done.stderr)
        self.assertEqual(0, self.connection.cmd("EXISTS", "shop"))

    def test_bad_lines_are_counted_to_the_end(self):
        lines = ["item,price"] + [",1"] * 12 + ["a,1", "b,1,2", "x" * 513 + ",1", "c,3"]
        content = "\n".join(lines) + "\n"
        for allowed, code in ((14, 0), (13, LOST), (None, LOST)):
            options = () if allowed is None else ("--allow-errors", str(allowed))
            summary = self.imported(content, *options, code=code)
            self.assertEqual(("lost-lines" if code else "done", 2, 14, 10), (
                summary["end"], summary["sent"], summary["lost"], len(summary["lost-lines"])))
        self.assertEqual({"price": 3}, self.attributes("c"))
        done = self.run_import(content=content)
        self.assertEqual(LOST, done.returncode)
        self.assertIn("... and 4 more", done.stderr)
        self.assertIn("14 lines were lost, 0 are allowed", done.stderr)

    def test_lost_lines_that_cannot_be_kept_are_no_success(self):
        folder = tempfile.TemporaryDirectory(prefix="reco-items-")
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, 251 * "x")  # too long a name for another ending
        with open(path, "w", encoding="utf-8") as file:
            file.write("item,price\na,1\n,2\n")
        command = [ADMIN, "-p", str(self.server.port), "--quiet", "import-items", "shop", path,
                   "--item", "item", "--allow-errors", "9"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(2, done.returncode, done.stdout + done.stderr)
        self.assertNotIn("done", done.stdout)
        self.assertIn("cannot write the lost lines", done.stderr)
        done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual("no-rejects", json.loads(done.stdout)["end"])

    def test_stops_when_asked_to(self):
        content = "item,price\na,1\n" + ",1\n" * 5 + "b,1\n"
        summary = self.imported(content, "--stop-after", "3", "--allow-errors", "9", code=LOST)
        self.assertEqual(("stopped", 1, 3), (
            summary["end"], summary["sent"], summary["lost"]))
        self.assertIsNone(self.connection.cmd("RECO.ITEM", "GET", "shop", "b"))

    def test_shows_the_types_as_a_table(self):
        done = self.run_import("--types", "code:text", content="item,price,code,none\na,1,2,\n")
        self.assertEqual(0, done.returncode, done.stderr)
        table = [line.split(None, 2) for line in done.stdout.splitlines()[1:]]
        self.assertEqual([["column", "type", "decided by"], ["price", "number", "the file"],
                          ["code", "text", "--types"], ["none", "-", "all cells are empty"]], table)

    def test_without_a_header(self):
        self.imported("a,1,x\nb,2,y\n", "--no-header", "--columns", "3,2", item="1")
        self.assertEqual({"column3": "x", "column2": 1}, self.attributes("a"))
        self.assertEqual("column3:text,column2:number", self.kept_types())

    def test_a_refusal_ends_it(self):
        self.connection.cmd("SET", "shop", "a string")
        done = self.run_import(content="item,price\na,1\n")
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)
        self.assertIn("WRONGTYPE", done.stderr)


if __name__ == "__main__":
    unittest.main()
