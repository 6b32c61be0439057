"""reco-admin stream-eval: a log replayed against a running server."""
import json
import os
import re
import signal
import subprocess
import tempfile
import unittest

import reco_e2e
from reco_e2e import as_map, reco_only, text

ADMIN = os.path.join(reco_e2e.BIN, "reco-admin")
TASTES = 2
USERS = 24
ITEMS_EACH = 12
SPLITS = ["all", "warm", "new", "0", "1-4", "5-19", "20-99", "100+"]
FIGURES = ["questions", "recall", "recall-half-width", "mrr", "mrr-half-width"]
COLUMNS = ("--user", "user", "--item", "item", "--time", "t", "--time-unit", "s")
SMALL = ("--param", "dim=8", "--param", "iterations=5")


def two_taste_log(per_user=10):
    """Users of two tastes in turn; each takes items of the own taste only, one a second."""
    lines = ["t,user,item,kind"]
    time_s = 1_000
    for n in range(per_user):
        for user in range(USERS):
            taste = user % TASTES
            item = (user * 5 + n) % ITEMS_EACH
            lines.append(f"{time_s},u{user},{'xy'[taste]}{item},buy")
            time_s += 1
    return "\n".join(lines) + "\n"


@reco_only
class StreamEval(reco_e2e.ServerTest):
    def write(self, content):
        file = tempfile.NamedTemporaryFile("w", suffix=".csv", delete=False, encoding="utf-8")
        self.addCleanup(os.unlink, file.name)
        with file:
            file.write(content)
        return file.name

    def command(self, key, path, *options):
        return [ADMIN, "-p", str(self.server.port), "stream-eval", key, path, *options]

    def run_eval(self, key, path, *options):
        return subprocess.run(self.command(key, path, *options), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, check=False)

    def evaluate(self, key, path, *options):
        done = self.run_eval(key, path, "--json", *options)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return json.loads(done.stdout)

    def refused(self, code, pattern, *arguments):
        done = self.run_eval(*arguments)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        self.assertRegex(done.stderr, pattern)
        return done

    def test_predicts_tastes_far_better_than_chance_and_leaves_no_trace(self):
        client = self.client()
        report = self.evaluate("shop", self.write(two_taste_log()), *COLUMNS, *SMALL,
                               "--at", "12,3,12")
        self.assertEqual([], client.cmd("KEYS", "*"))
        self.assertEqual(
            {"key": "shop", "events": 240, "users": 24, "items": 24, "training": 120,
             "questions": 120, "repeats": 0, "negatives": 0, "inside-baskets": 0, "seed": 42,
             "keep-order": False, "next-basket": False, "train-share": 0.5, "bad": 0},
            {name: value for name, value in report.items()
             if name not in ("file", "rows", "new-items", "basket-gap-s")})
        self.assertEqual(1, len(report["rows"]))
        row = report["rows"][0]
        self.assertEqual((8, 5), (row["parameters"]["dim"], row["parameters"]["iterations"]))
        self.assertEqual(["3", "12"], list(row["at"]))
        for splits in row["at"].values():
            self.assertEqual(SPLITS, list(splits))
            for figures in splits.values():
                self.assertEqual(FIGURES, list(figures))
            self.assertEqual(120, splits["all"]["questions"])
            self.assertEqual((120, 0), (splits["warm"]["questions"], splits["new"]["questions"]))
            self.assertEqual(120, splits["5-19"]["questions"])
        # At most 7 items of the own taste are left, so a list of 12 that begins with them holds
        # the next one; a list by chance would in half of the cases.
        self.assertGreater(row["at"]["12"]["all"]["recall"], 0.9)
        self.assertLessEqual(row["at"]["3"]["all"]["recall"], row["at"]["12"]["all"]["recall"])

    def test_takes_the_parameters_of_the_key_and_never_writes_it(self):
        client = self.client()
        client.cmd("RECO.CREATE", "shop", "DIM", 4, "TYPE", "buy", 2, "RETRAIN", "EVERY", 7)
        client.cmd("RECO.ADD", "shop", "ann", "lamp")
        before = text(client.cmd("RECO.INFO", "shop"))
        report = self.evaluate("shop", self.write(two_taste_log()), *COLUMNS, "--type", "kind",
                               "--param", "alpha=3")
        self.assertEqual([b"shop"], client.cmd("KEYS", "*"))
        after = text(client.cmd("RECO.INFO", "shop"))
        self.assertEqual(as_map(before)["parameters"], as_map(after)["parameters"])
        self.assertEqual([as_map(before)[name] for name in ("events", "last-seq", "model-id")],
                         [as_map(after)[name] for name in ("events", "last-seq", "model-id")])
        parameters = report["rows"][0]["parameters"]
        self.assertEqual((4, 3, 2, 0), (parameters["dim"], parameters["alpha"],
                                        parameters["type.buy"], parameters["retrain-every"]))

    def test_counts_repeats_and_returns_as_told_only(self):
        client = self.client()
        client.cmd("RECO.CREATE", "shop", "TYPE", "buy", 1, "TYPE", "return", -1)
        log = two_taste_log() + "9001,u0,x0,buy\n9002,u0,y1,return\n9003,u0,y1,buy\n"
        report = self.evaluate("shop", self.write(log), *COLUMNS, "--type", "kind")
        self.assertEqual((243, 121), (report["events"], report["training"]))
        self.assertEqual((119, 2, 1), (report["questions"], report["repeats"],
                                       report["negatives"]))

    def test_the_same_seed_gives_the_same_figures_and_ties_depend_on_it(self):
        # One timestamp for every four lines, so that the order in it is the seed's.
        lines = two_taste_log().splitlines()
        log = self.write("\n".join([lines[0]] + [
            f"{i // 4},{line.split(',', 1)[1]}" for i, line in enumerate(lines[1:])]) + "\n")
        figures = {}
        for name, options in {"first": (), "again": (), "other": ("--seed", "7"),
                              "kept": ("--keep-order",)}.items():
            row = self.evaluate("shop", log, *COLUMNS, *SMALL, "--at", "3", *options)["rows"][0]
            figures[name] = row["at"]
        self.assertEqual(figures["first"], figures["again"])
        self.assertNotEqual(figures["first"], figures["other"])
        self.assertNotEqual(figures["first"], figures["kept"])

    def test_the_next_basket_view_asks_once_a_basket(self):
        lines = ["t,user,item"]
        for basket in range(4):
            for user in range(10):
                lines += [f"{basket * 100 + user},u{user},i{basket * 3 + n}" for n in range(3)]
        report = self.evaluate("shop", self.write("\n".join(lines) + "\n"), *COLUMNS, *SMALL,
                               "--next-basket")
        self.assertEqual((120, 60, 20, 40), tuple(report[name] for name in (
            "events", "training", "questions", "inside-baskets")))

    def test_each_rhythm_of_training_is_a_row(self):
        client = self.client()
        report = self.evaluate("shop", self.write(two_taste_log()), *COLUMNS, *SMALL,
                               "--retrain-every", "0,50")
        self.assertEqual([0, 50], [row["retrain-every"] for row in report["rows"]])
        trainings = [as_map(text(job)) for job in client.cmd("RECO.JOB", "LIST")]
        again = [job for job in trainings if job["key"] == trainings[-1]["key"]]
        self.assertEqual(["done"] * 3, [job["state"] for job in again])
        self.assertRegex(again[0]["key"], r"^shop:stream-eval:[0-9a-f]{8}:default-retrain-50$")

    def test_each_mode_and_recency_is_a_row_and_writes_change_lists_as_the_mode_says(self):
        client = self.client()
        report = self.evaluate("shop", self.write(two_taste_log()), *COLUMNS, *SMALL,
                               "--train", "0.11", "--modes", "off,users,both", "--recency",
                               "0.9,1", "--neighbours", "off", "--at", "12")
        self.assertEqual([("off", 0.9), ("off", 1), ("users", 0.9), ("users", 1), ("both", 0.9),
                          ("both", 1)], [(row["mode"], row["recency"]) for row in report["rows"]])
        self.assertEqual(["off", "off", "users", "users", "both", "both"],
                         [row["parameters"]["foldin"] for row in report["rows"]])
        recall = {(row["mode"], row["recency"]): row["at"]["12"]["all"]["recall"]
                  for row in report["rows"]}
        # Nothing that a write does reaches a list, so neither does the order of the writes; with
        # one item a user at the training, learning from the later ones tells the tastes apart.
        self.assertEqual(recall["off", 0.9], recall["off", 1])
        self.assertGreater(recall["both", 1], recall["off", 1] + 0.1)
        self.assertEqual([], client.cmd("KEYS", "*"))

    def test_rows_without_a_mode_or_recency_show_those_of_the_key(self):
        self.client().cmd("RECO.CREATE", "shop", "DIM", 8, "FOLDIN", "USERS", "RECENCY", 0.5)
        row = self.evaluate("shop", self.write(two_taste_log()), *COLUMNS)["rows"][0]
        self.assertEqual(("users", 0.5), (row["mode"], row["recency"]))

    def test_agrees_with_a_replay_command_by_command(self):
        client = self.client()
        log = two_taste_log()
        report = self.evaluate("shop", self.write(log), *COLUMNS, *SMALL, "--recency", "0.9",
                               "--retrain-every", "50", "--at", "5")
        client.cmd("RECO.CREATE", "ref", "DIM", 8, "ITERATIONS", 5)
        events = [line.split(",")[:3] for line in log.splitlines()[1:]]
        reciprocals = []
        for n, (time_s, user, item) in enumerate(events):
            if n >= 120:
                if (n - 120) % 50 == 0:
                    client.cmd("RECO.RETRAIN", "ref", "SYNC")
                ranking = text(client.cmd("RECO.TOPK", "ref", user, "COUNT", 5, "RECENCY", 0.9))
                reciprocals.append(1 / (ranking.index(item) + 1) if item in ranking else 0)
            client.cmd("RECO.ADD", "ref", user, item, "TS", int(time_s) * 1000)
        figures = report["rows"][0]["at"]["5"]["all"]
        self.assertEqual(120, len(reciprocals))
        self.assertAlmostEqual(sum(r > 0 for r in reciprocals) / 120, figures["recall"], 12)
        self.assertAlmostEqual(sum(reciprocals) / 120, figures["mrr"], 12)

    def test_prints_aligned_tables(self):
        done = self.run_eval("shop", self.write(two_taste_log()), *COLUMNS, *SMALL, "--quiet")
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertIn("240 events of 24 users and 24 items; trained on the first 120\n",
                      done.stdout)
        rows = [line for line in done.stdout.splitlines() if re.match(r"(fold-in|both|def)", line)]
        self.assertEqual(6, len(rows))
        self.assertEqual(len(rows[0]), len(rows[1]))

    def test_says_what_to_do_about_a_log_it_cannot_use(self):
        client = self.client()
        client.cmd("SET", "text", "x")
        log = self.write(two_taste_log())
        for pattern, *arguments in [
                (r"--time.*--keep-order", "shop", log, "--user", "user", "--item", "item"),
                (r"no column 'when'", "shop", log, *COLUMNS[:4], "--time", "when"),
                (r"too few events.*--train", "shop", self.write("t,user,item\n1,a,b\n"), *COLUMNS),
                (r"--param type.buy=1", "shop", log, *COLUMNS, "--type", "kind"),
                (r"cannot|no such|No such", "shop", "/nonexistent.csv", *COLUMNS),
                (r"needs|requires", "shop", log, *COLUMNS, "--basket-gap", "5")]:
            with self.subTest(pattern):
                self.refused(2, pattern, *arguments)
        self.refused(1, "holds a string and no collection", "text", log, *COLUMNS)
        self.refused(1, "dim must be", "shop", log, *COLUMNS, "--param", "dim=0")
        self.assertEqual([b"text"], client.cmd("KEYS", "*"))

    def test_deletes_its_collections_when_the_server_refuses_an_event(self):
        # An id that the tool lets pass and the server does not: a weight beyond the limit.
        log = self.write(two_taste_log().replace("kind", "w").replace("buy", "1") +
                         "9000,u0,x11,1e7\n")
        self.refused(1, r"weight.*line 242", "shop", log, *COLUMNS, *SMALL, "--weight", "w")
        self.assertEqual([], self.client().cmd("KEYS", "*"))

    def test_deletes_its_collections_when_interrupted(self):
        client = self.client()
        log = self.write(two_taste_log(per_user=12))
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen(
                self.command("shop", log, *COLUMNS, "--param", "iterations=1000", "--param",
                             "dim=512", "--retrain-every", "1"),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            reco_e2e.eventually(lambda: client.cmd("KEYS", "shop:stream-eval:*"))
            process.send_signal(number)
            _, errors = process.communicate(timeout=reco_e2e.START_S)
            self.assertEqual(-number, process.returncode, errors)
            self.assertIn("interrupted", errors)
            self.assertEqual([], client.cmd("KEYS", "*"))

    def test_says_what_is_left_over_when_the_server_dies(self):
        log = self.write(two_taste_log(per_user=12))
        with reco_e2e.Server() as server:
            process = subprocess.Popen(
                [ADMIN, "-p", str(server.port), "stream-eval", "shop", log, *COLUMNS, "--param",
                 "iterations=1000", "--param", "dim=512"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            client = server.client()
            reco_e2e.eventually(lambda: client.cmd("KEYS", "shop:stream-eval:*"))
            server.kill9()
            _, errors = process.communicate(timeout=reco_e2e.START_S)
        self.assertEqual(3, process.returncode, errors)
        self.assertRegex(errors, r"shop:stream-eval:[0-9a-f]{8}:default (is|may be) left over")
        self.assertIn("connection lost", errors)

    def test_help_says_that_the_key_is_not_written(self):
        done = subprocess.run([ADMIN, "stream-eval", "--help"], capture_output=True, text=True,
                              timeout=20, check=True)
        self.assertIn("KEY is never written", done.stdout)


if __name__ == "__main__":
    unittest.main()
