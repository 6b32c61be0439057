"""Lists by neighbours: what the sessions of others and the ridge rows add, as clients see it."""
import time
import unittest

import reco_e2e
from reco_e2e import as_map, reco_only

DAY = 86_400_000


@reco_only
class Neighbours(reco_e2e.ServerTest):
    def fill(self, client, key, *parameters):
        """Two tastes in sessions of five neighbours each, one a day and user."""
        client.cmd("RECO.CREATE", key, "DIM", 4, *parameters)
        words = []
        for day in range(6):
            for user in range(30):
                taste = "xy"[user % 2]
                for n in range(5):
                    item = f"{taste}{(user + day + n) % 20}"
                    ms = 2 * day * DAY + user * 1_000_000 + n * 30_000
                    words.append((f"u{user}", item, ms))
        for user, item, ms in words:
            client.cmd("RECO.ADD", key, user, item, "TS", ms)
        self.now = words[-1][2]

    def wait_for_rows(self, client, key):
        for _ in range(500):
            figures = as_map(as_map(client.cmd("RECO.INFO", key))["neighbours"])
            if figures["waiting"] == b"0":
                return figures
            time.sleep(0.01)
        self.fail("rows still wait")

    def test_parts_move_lists_and_add_up(self):
        client = self.client()
        self.fill(client, "shop")
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        figures = self.wait_for_rows(client, "shop")
        self.assertEqual(b"180", figures["sessions"])
        self.assertEqual(b"40", figures["rows"])
        # Somebody new has taken two neighbours: the next ones of that taste are told.
        client.cmd("RECO.ADD", "shop", "new", "x3", "TS", self.now)
        client.cmd("RECO.ADD", "shop", "new", "x4", "TS", self.now + 30_000)
        self.wait_for_rows(client, "shop")
        ask = ("RECO.TOPK", "shop", "new", "COUNT", 5, "NOW", self.now + 40_000)
        self.assertEqual(b"x5", client.cmd(*ask)[0])
        alone = client.cmd(*ask, "BLEND", "V", 0, "R", 0, "WITHSCORES")
        self.assertEqual(client.cmd(*ask, "WITHSCORES"),
                         client.cmd(*ask, "BLEND", "V", 1.5, "R", 1.5, "WITHSCORES"))
        self.assertNotEqual(client.cmd(*ask, "WITHSCORES"), alone)
        for blend in ((), ("BLEND", "V", 2, "R", 0), ("BLEND", "V", 0, "R", 3)):
            explained = as_map(client.cmd("RECO.EXPLAIN", "shop", "new", "x5", "NOW",
                                          self.now + 40_000, *blend))
            total = float(explained["remainder"]) + sum(map(float, explained["shares"][1::2]))
            self.assertAlmostEqual(float(explained["score"]), total, delta=1e-5)

    def test_rows_can_be_looked_at_and_ranked_by(self):
        client = self.client()
        self.fill(client, "shop")
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        row = client.cmd("RECO.NEIGHBOURS", "GET", "shop", "x5", "COUNT", 3)
        self.assertEqual(6, len(row))
        weights = [abs(float(weight)) for weight in row[1::2]]
        self.assertEqual(sorted(weights, reverse=True), weights)
        self.assertEqual({b"x"}, {item[:1] for item in row[::2]})
        self.assertIsNone(client.cmd("RECO.NEIGHBOURS", "GET", "shop", "nothing"))
        self.assertIn("GET", " ".join(client.cmd("RECO.NEIGHBOURS", "HELP")))
        similar = client.cmd("RECO.SIMILAR", "shop", 1, "x5", "BY", "NEIGHBOURS", "COUNT", 4,
                             "WITHSOURCE")
        self.assertEqual({b"neighbours"}, set(similar[1::2]))
        self.assertIn(similar[0], (b"x4", b"x6"))
        self.assertNotIn(b"x5", similar)

    def test_a_deleted_user_leaves_nothing(self):
        client = self.client()
        self.fill(client, "shop")
        for user in range(30):
            client.cmd("RECO.USER", "DEL", "shop", f"u{user}")
        figures = as_map(as_map(client.cmd("RECO.INFO", "shop"))["neighbours"])
        for name in ("sessions", "session-items", "pair-counts"):
            self.assertEqual(b"0", figures[name])

    def test_off_has_none_and_bad_blends_are_refused(self):
        client = self.client()
        self.fill(client, "off", "NEIGHBOURS", "OFF")
        client.cmd("RECO.RETRAIN", "off", "SYNC")
        self.assertEqual([], client.cmd("RECO.INFO", "off")[
            client.cmd("RECO.INFO", "off").index(b"neighbours") + 1])
        ask = ("RECO.TOPK", "off", "u1", "NOW", self.now, "WITHSCORES")
        self.assertEqual(client.cmd(*ask), client.cmd(*ask, "BLEND", "V", 9, "R", 9))
        for words, message in (
                (("BLEND",), "ERR syntax error"), (("BLEND", "V", 1), "ERR syntax error"),
                (("BLEND", "R", 1, "V", 1), "ERR syntax error"),
                (("BLEND", "V", -1, "R", 1), "ERR BLEND V must be between 0 and 1000"),
                (("BLEND", "V", "x", "R", 1), "ERR value is not a valid float")):
            with self.subTest(words=words):
                self.assertEqual(message, client.error("RECO.TOPK", "off", "u1", *words))
        self.assertEqual("ERR neighbours are for implicit feedback: leave them off",
                         client.error("RECO.CREATE", "films", "FEEDBACK", "EXPLICIT", "NEIGHBOURS",
                                      "AUTO"))
        self.assertEqual("ERR neighbours must be off, auto or sessions, not 'on'",
                         client.error("RECO.CREATE", "films", "NEIGHBOURS", "on"))


if __name__ == "__main__":
    unittest.main()
