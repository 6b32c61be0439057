"""Signals, recency, fold-in modes, ratings: what the options of a collection change."""
import unittest

import reco_e2e
from reco_e2e import as_map, reco_only

RECENCY_RANGE = "ERR RECENCY must be AGE or a number from 0.01 to 1"
SYNTAX = "ERR syntax error"


@reco_only
class Options(reco_e2e.ServerTest):
    def test_are_shown_as_they_were_given(self):
        client = self.client()
        client.cmd("RECO.CREATE", "shop", "recency", "0.9", "HALFLIFE", 86400, "WEIGHTING", "LOG",
                   "FOLDIN", "Users", "TOLERANCE", "0.001", "WARM-START", "yes")
        config = as_map(client.cmd("RECO.CONFIG", "shop", "GET", "*"))
        for name, value in ((b"recency", b"0.9"), (b"halflife", b"86400"), (b"weighting", b"log"),
                            (b"foldin", b"users"), (b"tolerance", b"0.001"),
                            (b"warm-start", b"yes"), (b"feedback", b"implicit")):
            self.assertEqual(value, config[name.decode()])

    def test_bad_values_name_what_is_allowed(self):
        client = self.client()
        for words, message in (
                (("RECENCY", "0"), "ERR recency must be age or a number from 0.01 to 1, "
                 "not '0'"),
                (("WEIGHTING", "cubic"), "ERR weighting must be linear or log, not 'cubic'"),
                (("FOLDIN", "items"), "ERR foldin must be both, users or off, not 'items'"),
                (("FEEDBACK", "none"), "ERR feedback must be implicit or explicit, not 'none'"),
                (("HALFLIFE", "-1"), "ERR halflife must be a number from 0 to 1e10, not '-1'"),
                (("FEEDBACK", "EXPLICIT", "HALFLIFE", 9), "ERR halflife and weighting are for "
                 "implicit feedback: ratings do not add up")):
            with self.subTest(words=words):
                self.assertEqual(message, client.error("RECO.CREATE", "bad", *words))
        self.assertEqual(0, client.cmd("EXISTS", "bad"))

    def test_fixed_ones_cannot_change(self):
        client = self.client()
        client.cmd("RECO.CREATE", "fixed", "HALFLIFE", 60)
        self.assertEqual("ERR halflife is 60 and cannot change to 61",
                         client.error("RECO.CONFIG", "fixed", "SET", "halflife", 61))
        self.assertEqual("OK", client.cmd("RECO.CONFIG", "fixed", "SET", "recency", "0.5"))
        self.assertIn("RETRAIN", client.cmd("RECO.CONFIG", "fixed", "SET", "weighting", "log"))


@reco_only
class Recency(reco_e2e.ServerTest):
    def test_of_a_request_moves_the_list_towards_the_newest(self):
        client = self.client()
        client.cmd("RECO.CREATE", "shop", "DIM", 8, "UNOBSERVED", "0.1", "RECENCY", 1)
        for u in range(10):
            for i in range(10):
                for taste in "xy":
                    client.cmd("RECO.ADD", "shop", f"{taste}{u}", f"{taste}{i}")
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        for i in range(5):  # five of the one taste long ago, three of the other now
            client.cmd("RECO.ADD", "shop", "both", f"x{i}", "TS", 1000 + i)
        for i in range(3):
            client.cmd("RECO.ADD", "shop", "both", f"y{i}", "TS", 5000 + i)
        old = client.cmd("RECO.TOPK", "shop", "both", "COUNT", 4)
        new = client.cmd("RECO.TOPK", "shop", "both", "COUNT", 4, "RECENCY", "0.3")
        self.assertEqual({b"x"}, {item[:1] for item in old})
        self.assertEqual({b"y"}, {item[:1] for item in new})
        client.cmd("RECO.CONFIG", "shop", "SET", "recency", "0.3")
        self.assertEqual(new, client.cmd("RECO.TOPK", "shop", "both", "COUNT", 4))

    def test_by_age_what_counts_is_the_last_session(self):
        client = self.client()
        client.cmd("RECO.CREATE", "shop", "DIM", 8, "UNOBSERVED", "0.1")
        day = 86_400_000
        for u in range(10):
            for i in range(10):
                for t, taste in enumerate("xy"):
                    client.cmd("RECO.ADD", "shop", f"{taste}{u}", f"{taste}{i}",
                               "TS", (20 * u + 2 * i + t) * 1000)
        info = as_map(client.cmd("RECO.INFO", "shop"))
        self.assertEqual(b"usable", info["event-times"])
        self.assertEqual(b"age", as_map(info["parameters"])["recency"])
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        for i in range(6):  # six of the one taste the day before, two of the other now
            client.cmd("RECO.ADD", "shop", "both", f"x{i}", "TS", day + i)
        for i in range(2):
            client.cmd("RECO.ADD", "shop", "both", f"y{i}", "TS", 2 * day + i)

        def tastes(now, *more):
            return {item[:1] for item in client.cmd("RECO.TOPK", "shop", "both", "COUNT", 4,
                                                    "NOW", now, *more)}
        self.assertEqual({b"y"}, tastes(2 * day + 10))
        # Years later one day does not matter any more.
        self.assertEqual({b"x"}, tastes(9_000 * day))
        self.assertEqual({b"x"}, tastes(2 * day + 10, "RECENCY", 1))
        # The log stands still: asked now, it is as at its last moment.
        now = client.cmd("RECO.TOPK", "shop", "both", "COUNT", 4)
        self.assertEqual({b"y"}, {item[:1] for item in now})
        basket = ("RECO.SESSION", "shop", 3, "x0", "x1", "y0", "COUNT", 4)
        times = ("TIMES", 0, 0, day)
        self.assertEqual({b"y"}, {item[:1] for item in client.cmd(*basket, *times, "NOW", day)})
        self.assertEqual({b"x"}, {item[:1] for item in client.cmd(*basket)})
        place = as_map(client.cmd("RECO.WHY", "shop", "both", now[0], "NOW", 2 * day + 10))
        self.assertEqual(1, place["rank"])
        explained = [as_map(client.cmd("RECO.EXPLAIN", "shop", "both", now[0], "NOW", then))
                     for then in (2 * day + 10, 9_000 * day)]
        self.assertNotEqual(explained[0]["score"], explained[1]["score"])

    def test_bad_times_are_refused(self):
        client = self.client()
        for words, message in ((("NOW", -1), "ERR NOW must be between 0 and 253402300799999"),
                               (("NOW", "x"), "ERR value is not an integer or out of range"),
                               (("NOW",), SYNTAX), (("NOW", 1, "NOW", 1), SYNTAX)):
            with self.subTest(words=words):
                self.assertEqual(message, client.error("RECO.TOPK", "shop", "u", *words))
        self.assertEqual(SYNTAX, client.error("RECO.SESSION", "shop", 2, "a", "b", "TIMES", 1))

    def test_bad_values_are_refused(self):
        client = self.client()
        for words, message in ((("RECENCY",), SYNTAX),
                               (("RECENCY", "0"), RECENCY_RANGE),
                               (("RECENCY", "2"), RECENCY_RANGE),
                               (("RECENCY", "x"), RECENCY_RANGE),
                               (("RECENCY", "0.9", "RECENCY", "0.9"), SYNTAX)):
            with self.subTest(words=words):
                self.assertEqual(message, client.error("RECO.TOPK", "shop", "u", *words))


@reco_only
class Ratings(reco_e2e.ServerTest):
    USERS = 20
    ITEMS = 16

    def rate(self, client, key):
        client.cmd("RECO.CREATE", key, "FEEDBACK", "EXPLICIT", "DIM", 4, "REG", "0.1", "REGN",
                   "0.02")
        for u in range(self.USERS):
            for i in range(self.ITEMS):
                if (u * 7 + i * 3) % 5 != 0:
                    client.cmd("RECO.ADD", key, f"u{u}", f"i{i}", 5 if u % 2 == i % 2 else 1)
        client.cmd("RECO.RETRAIN", key, "SYNC")

    def test_are_predicted_listed_and_explained(self):
        client = self.client()
        self.rate(client, "films")
        unseen = [(u, i) for u in range(self.USERS) for i in range(self.ITEMS)
                  if (u * 7 + i * 3) % 5 == 0]
        for u, i in unseen:
            score = float(client.cmd("RECO.SCORE", "films", f"u{u}", f"i{i}")[0])
            self.assertAlmostEqual(5 if u % 2 == i % 2 else 1, score, delta=1)
        u, i = unseen[0]
        listed = client.cmd("RECO.TOPK", "films", f"u{u}", "COUNT", 100, "WITHSCORES")
        scores = [float(score) for score in listed[1::2]]
        self.assertEqual(sorted(scores, reverse=True), scores)
        self.assertTrue(all(0 < score < 6 for score in scores))
        explained = as_map(client.cmd("RECO.EXPLAIN", "films", f"u{u}", f"i{i}", "COUNT", 100))
        score = client.cmd("RECO.SCORE", "films", f"u{u}", f"i{i}")[0]
        self.assertAlmostEqual(float(score), float(explained["score"]), places=5)

    def test_a_new_rating_replaces_the_one_before(self):
        client = self.client()
        self.rate(client, "again")
        client.cmd("RECO.ADD", "again", "u0", "i1", 2)
        self.assertEqual(b"2", client.cmd("RECO.PREF", "again", "u0", "i1")[0])

    def test_are_evaluated_by_their_errors(self):
        client = self.client()
        self.rate(client, "judged")
        report = as_map(client.cmd("RECO.EVAL", "judged", "HOLDOUT", "LAST", 2))
        self.assertEqual(2 * self.USERS, report["ratings"])
        rmse = {name: float(as_map(report[name])["rmse"][0]) for name in ("model", "mean")}
        self.assertLess(rmse["model"], rmse["mean"])

    def test_sessions_give_theirs(self):
        client = self.client()
        self.rate(client, "guests")
        self.assertEqual("ERR a session of ratings needs them: add WEIGHTS",
                         client.error("RECO.SESSION", "guests", 2, "i0", "i1"))
        items = client.cmd("RECO.SESSION", "guests", 2, "i0", "i1", "WEIGHTS", 5, 1, "COUNT", 5)
        self.assertEqual({0}, {int(item[1:]) % 2 for item in items})
        self.assertEqual("ERR CONTEXT has no ratings; fold rated items in with RECO.SESSION",
                         client.error("RECO.TOPK", "guests", "u0", "CONTEXT", 1, "i0"))


if __name__ == "__main__":
    unittest.main()
