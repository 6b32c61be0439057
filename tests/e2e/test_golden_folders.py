"""The folder of every release opens, answers as it did, and stays sound (golden_folder.py)."""
import json
import math
import os
import shutil
import tempfile
import unittest

import golden_folder
import reco_e2e

FOLDERS = os.path.join(reco_e2e.ROOT, "tests", "golden", "folders")
TOLERANCE = 1e-5  # of a score: 24 bits, summed in an order that a release may change
# Their replies are maps that a later release may add fields to.
MAPS = {("RECO.CONFIG", "GET"), ("RECO.ITEM", "GET"), ("RECO.USER", "GET"), ("RECO.WHY",)}


def is_map(question):
    return any(all(word in question for word in words) for words in MAPS)


def as_number(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def same(then, now):
    """True iff the replies agree: numbers within TOLERANCE, all else exactly."""
    if isinstance(then, list):
        return (isinstance(now, list) and len(then) == len(now)
                and all(same(a, b) for a, b in zip(then, now)))
    a, b = as_number(then), as_number(now)
    if a is not None and b is not None:
        return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return then == now


@reco_e2e.reco_only
class GoldenFolders(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="reco-golden-")
        self.addCleanup(shutil.rmtree, self.base)

    def check(self, data):
        code, output = reco_e2e.run_server("--check", "--dir", data)
        self.assertEqual(0, code, output)

    def assert_answers(self, then, server):
        now = golden_folder.answers(server, [question for question, _ in then])
        for (question, old), (_, new) in zip(then, now):
            with self.subTest(question=question):
                if is_map(question) and old is not None:
                    new = reco_e2e.as_map(new)
                    for field, value in reco_e2e.as_map(old).items():
                        self.assertTrue(same(value, new[field]), (field, value, new[field]))
                else:
                    self.assertTrue(same(old, new), f"{old}\nis now\n{new}")

    def test_every_release_has_a_folder_that_opens_and_answers_as_it_did(self):
        releases = sorted(os.listdir(FOLDERS))
        self.assertTrue({"0.1.0", "0.2.0"} <= set(releases), releases)
        for release in releases:
            with self.subTest(release=release):
                data = os.path.join(self.base, release)
                shutil.copytree(os.path.join(FOLDERS, release, "data"), data)
                with open(os.path.join(FOLDERS, release, "answers.json"),
                          encoding="ascii") as file:
                    then = json.load(file)
                self.check(data)
                with reco_e2e.Server(directory=data) as server:  # replays the log
                    self.assert_answers(then, server)
                    server.stop()
                    server.start()  # reads what the present release has written
                    self.assert_answers(then, server)
                    server.stop()
                self.check(data)


if __name__ == "__main__":
    unittest.main()
