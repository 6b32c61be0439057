"""RECO.POPULAR with WINDOW, TRENDING, LATEST, ACTIVEUSERS, AUDIENCE and SIMILAR BY COOCCURRENCE."""
import math
import time
import unittest

import reco_e2e
from reco_e2e import reco_only

NOT_INTEGER = "ERR value is not an integer or out of range"
SYNTAX = "ERR syntax error"
WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
DAY_S = 86400
LISTS = (("RECO.POPULAR", "WINDOW", 60), ("RECO.TRENDING",), ("RECO.LATEST",),
         ("RECO.ACTIVEUSERS",))


def now_ms():
    return int(time.time() * 1000)


@reco_only
class ListTest(reco_e2e.ServerTest):
    def setUp(self):
        super().setUp()
        self.connection = self.client()
        self.start_ms = now_ms()

    def cmd(self, *args):
        return self.connection.cmd(*args)

    def add(self, user, item, weight=1, age_s=0):
        return self.cmd("RECO.ADD", "shop", user, item, weight, "TS",
                        self.start_ms - age_s * 1000)

    def list(self, name, *args):
        return self.cmd(name, "shop", *args)

    def scores(self, name, *args):
        words = self.cmd(name, "shop", *args, "WITHSCORES")
        return {words[i]: float(words[i + 1]) for i in range(0, len(words), 2)}


class Common(ListTest):
    """What is the same for all of them."""

    def test_a_missing_collection_answers_empty(self):
        for name, *args in LISTS:
            self.assertEqual([], self.cmd(name, "none", *args))
        self.assertEqual([], self.cmd("RECO.AUDIENCE", "none", "lamp"))
        self.assertEqual([], self.cmd("RECO.SIMILAR", "none", 1, "lamp", "BY", "COOCCURRENCE"))

    def test_a_string_is_the_wrong_type(self):
        self.cmd("SET", "text", "x")
        for name, *args in LISTS + (("RECO.AUDIENCE", "lamp"),):
            self.assertEqual(WRONG_TYPE, self.connection.error(name, "text", *args))

    def test_pages_are_pieces_of_the_whole(self):
        for i in range(30):
            for user in range(i % 5 + 1):
                self.add(f"u{user}", f"i{i}")
        for name, *args in LISTS + (("RECO.AUDIENCE", "i4"),):
            whole = self.list(name, *args, "COUNT", 100)
            pages = []
            for offset in range(0, len(whole), 7):
                pages += self.list(name, *args, "COUNT", 7, "OFFSET", offset)
            self.assertEqual(whole, pages)
            self.assertEqual([], self.list(name, *args, "OFFSET", len(whole)))

    def test_include_and_exclude(self):
        for user, item in (("u1", "i1"), ("u2", "i2"), ("u3", "i3")):
            self.add(user, item)
        for name, *args in LISTS:
            kind = "u" if name == "RECO.ACTIVEUSERS" else "i"
            include = ("INCLUDE", 3, f"{kind}1", f"{kind}2", "unknown")
            self.assertEqual({b"%s1" % kind.encode(), b"%s2" % kind.encode()},
                             set(self.list(name, *args, *include)))
            self.assertEqual([b"%s2" % kind.encode()],
                             self.list(name, *args, *include, "EXCLUDE", 1, f"{kind}1"))

    def test_the_source_is_named(self):
        self.add("ann", "lamp")
        self.add("ann", "desk")
        for (name, *args), source in zip(LISTS, (b"popular", b"trending", b"latest", b"activity")):
            self.assertEqual(source, self.list(name, *args, "COUNT", 1, "WITHSOURCE")[1])
        self.assertEqual([b"desk", b"cooccurrence"],
                         self.list("RECO.SIMILAR", 1, "lamp", "BY", "COOCCURRENCE", "WITHSOURCE"))

    def test_resp3_nests_rows(self):
        self.add("ann", "lamp", 2)
        resp3 = self.client(protocol=3)
        self.assertEqual([[b"lamp", 1.0]],
                         resp3.cmd("RECO.POPULAR", "shop", "WINDOW", 60, "WITHSCORES"))
        self.assertEqual([[b"ann", 2.0]], resp3.cmd("RECO.AUDIENCE", "shop", "lamp", "WITHSCORES"))

    def test_what_is_hidden_vanishes(self):
        self.add("ann", "lamp")
        self.cmd("RECO.ITEM", "SET", "shop", "lamp", "HIDDEN", 1)
        self.cmd("RECO.USER", "SET", "shop", "ann", "HIDDEN", 1)
        for name, *args in LISTS:
            self.assertEqual([], self.list(name, *args))
        self.assertEqual([], self.list("RECO.AUDIENCE", "lamp"))

    def test_errors(self):
        seconds = "must be between 1 and 3153600000"
        for message, args in (
                (NOT_INTEGER, ("RECO.POPULAR", "shop", "WINDOW", "x")),
                (f"ERR WINDOW {seconds}", ("RECO.POPULAR", "shop", "WINDOW", 0)),
                (f"ERR HALFLIFE {seconds}", ("RECO.TRENDING", "shop", "HALFLIFE", 0)),
                ("ERR COUNT must be between 1 and 10000", ("RECO.LATEST", "shop", "COUNT", 0)),
                ("ERR OFFSET and COUNT must add up to at most 1000000",
                 ("RECO.ACTIVEUSERS", "shop", "OFFSET", 1000000)),
                ("ERR OFFSET must be between 0 and 1000000",
                 ("RECO.AUDIENCE", "shop", "lamp", "OFFSET", -1))):
            self.assertEqual(message, self.connection.error(*args), args)
        # Of a row of pairs both may be at their bounds.
        for name, whom in (("RECO.AUDIENCE", "lamp"), ("RECO.HISTORY", "ann")):
            self.assertEqual([], self.connection.cmd(name, "shop", whom, "OFFSET", 1000000,
                                                     "COUNT", 10000))
        for args in (("RECO.POPULAR", "shop", "WINDOW"), ("RECO.POPULAR", "shop", "BY", "AGE"),
                     ("RECO.TRENDING", "shop", "WINDOW", 1), ("RECO.LATEST", "shop", "BY", "USERS"),
                     ("RECO.ACTIVEUSERS", "shop", "MORE"),
                     ("RECO.AUDIENCE", "shop", "lamp", "INCLUDE", 1, "ann"),
                     ("RECO.SIMILAR", "shop", 1, "lamp", "BY", "USERS")):
            self.assertEqual(SYNTAX, self.connection.error(*args), args)


class Windows(ListTest):
    def test_only_events_within_the_window_count(self):
        self.add("ann", "old", age_s=3600)
        self.add("bob", "old", age_s=3600)
        self.add("ann", "new", 2)
        self.add("ann", "new", 3)
        self.add("ann", "coming", age_s=-3600)
        # What says a time ahead happened when it arrived.
        for by, score in (("USERS", 1), ("EVENTS", 2), ("WEIGHT", 5)):
            self.assertEqual({b"new": score, b"coming": 1},
                             self.scores("RECO.POPULAR", "WINDOW", 60, "BY", by))
        self.assertEqual([b"old", b"coming", b"new"], self.list("RECO.POPULAR", "WINDOW", 7200))
        self.assertEqual([b"old", b"coming", b"new"], self.list("RECO.POPULAR"))

    def test_writes_are_in_the_next_read(self):
        for n in range(1, 6):
            self.add(f"u{n}", "lamp")
            self.assertEqual({b"lamp": n}, self.scores("RECO.POPULAR", "WINDOW", 60))
        self.cmd("RECO.REM", "shop", "u1", "lamp")
        self.assertEqual({b"lamp": 4}, self.scores("RECO.POPULAR", "WINDOW", 60))
        self.cmd("RECO.USER", "DEL", "shop", "u2")
        self.assertEqual({b"lamp": 3}, self.scores("RECO.POPULAR", "WINDOW", 60))
        self.cmd("RECO.SET", "shop", "u3", "lamp", 9)
        self.assertEqual({b"lamp": 11}, self.scores("RECO.POPULAR", "WINDOW", 60, "BY", "WEIGHT"))
        self.cmd("RECO.ITEM", "DEL", "shop", "lamp")
        self.assertEqual([], self.list("RECO.POPULAR", "WINDOW", 60))

    def test_time_passes(self):
        self.cmd("RECO.ADD", "shop", "ann", "lamp")
        self.assertEqual([b"lamp"], self.list("RECO.POPULAR", "WINDOW", 1))
        reco_e2e.eventually(lambda: self.list("RECO.POPULAR", "WINDOW", 1) == [])

    def test_more_windows_than_are_kept(self):
        self.add("ann", "lamp")
        for _ in range(2):
            for seconds in range(60, 70):
                self.assertEqual([b"lamp"], self.list("RECO.POPULAR", "WINDOW", seconds))

    def test_a_restart_changes_nothing(self):
        with reco_e2e.Server(appendfsync="always") as server:
            with server.client() as client:
                client.cmd("RECO.MADD", "shop",
                           "ann", "lamp", 1, "bob", "lamp", 1, "bob", "desk", 1)
                client.cmd("RECO.REM", "shop", "ann", "lamp")
            server.kill9()
            server.start()
            with server.client() as client:
                self.assertEqual([b"desk", b"lamp"],
                                 client.cmd("RECO.POPULAR", "shop", "WINDOW", 600))
                self.assertEqual([b"bob", b"2"],
                                 client.cmd("RECO.ACTIVEUSERS", "shop", "WITHSCORES"))


class Trending(ListTest):
    def test_scores_halve_with_every_half_life(self):
        self.add("ann", "today", 1)
        self.add("ann", "yesterday", 6, age_s=DAY_S)
        self.add("ann", "regretted", -1)
        self.add("ann", "divisive", -2)
        self.add("bob", "divisive", 1)
        found = self.scores("RECO.TRENDING")
        # What nobody likes is not listed; what somebody does has the sum of all.
        self.assertEqual([b"yesterday", b"today", b"divisive"], list(found))
        for item, score in ((b"yesterday", 3), (b"today", 1), (b"divisive", -1)):
            self.assertTrue(math.isclose(score, found[item], rel_tol=1e-3), (item, found[item]))
        self.assertEqual([b"today", b"yesterday"],
                         self.list("RECO.TRENDING", "HALFLIFE", 3600, "COUNT", 2))

    def test_what_was_removed_leaves_nothing(self):
        self.add("ann", "lamp", 1e6)
        self.add("bob", "lamp", 1)
        self.assertGreater(self.scores("RECO.TRENDING")[b"lamp"], 9e5)
        self.cmd("RECO.REM", "shop", "ann", "lamp")
        self.assertTrue(math.isclose(1, self.scores("RECO.TRENDING")[b"lamp"], rel_tol=1e-3))


class Others(ListTest):
    def test_latest(self):
        self.add("ann", "first", age_s=300)
        self.add("ann", "second", age_s=200)
        self.add("bob", "first")
        self.cmd("RECO.ITEM", "SET", "shop", "third", "ATTRS", '{"a":1}')
        self.assertEqual([b"third", b"second", b"first"], self.list("RECO.LATEST"))
        self.assertEqual(self.start_ms - 200000, self.scores("RECO.LATEST")[b"second"])

    def test_activeusers(self):
        for user, count in (("ann", 3), ("bob", 5), ("cat", 3)):
            for i in range(count):
                self.add(user, f"i{i % 2}")
        self.assertEqual([b"bob", b"5", b"ann", b"3", b"cat", b"3"],
                         self.list("RECO.ACTIVEUSERS", "WITHSCORES"))

    def test_audience(self):
        self.add("ann", "lamp", 2, age_s=30)
        self.add("bob", "lamp", 3, age_s=10)
        self.add("cat", "lamp", 4, age_s=20)
        self.assertEqual([b"bob", b"3", b"cat", b"4", b"ann", b"2"],
                         self.list("RECO.AUDIENCE", "lamp", "WITHSCORES"))
        self.assertEqual([b"cat"], self.list("RECO.AUDIENCE", "lamp", "COUNT", 1, "OFFSET", 1))
        self.assertEqual([], self.list("RECO.AUDIENCE", "desk"))

    def test_cooccurrence(self):
        self.cmd("RECO.MADD", "shop", "ann", "lamp", 1, "ann", "desk", 2, "bob", "lamp", 2,
                 "bob", "desk", 4, "bob", "sofa", 1, "cat", "vase", 1)
        found = self.scores("RECO.SIMILAR", 1, "lamp", "BY", "COOCCURRENCE")
        self.assertEqual([b"desk", b"sofa"], list(found))
        self.assertAlmostEqual(1, found[b"desk"], 12)
        self.assertAlmostEqual(2 / math.sqrt(5), found[b"sofa"], 12)
        self.assertEqual([b"sofa"], self.list("RECO.SIMILAR", 2, "lamp", "desk",
                                              "BY", "COOCCURRENCE"))
        self.cmd("RECO.REM", "shop", "bob", "lamp")
        self.assertNotIn(b"sofa", self.list("RECO.SIMILAR", 1, "lamp", "BY", "COOCCURRENCE"))


if __name__ == "__main__":
    unittest.main()
