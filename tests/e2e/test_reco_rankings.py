"""RECO.TOPK, SESSION, SIMILAR, SCORE, EXPLAIN and POPULAR."""
import unittest

import reco_e2e
from reco_e2e import as_map, reco_only

NOT_INTEGER = "ERR value is not an integer or out of range"
NOT_FLOAT = "ERR value is not a valid float"
RECENCY_RANGE = "ERR RECENCY must be AGE or a number from 0.01 to 1"
SYNTAX = "ERR syntax error"
GROUP = 12  # users and items of each of two tastes


def two_tastes(client, key="shop"):
    """Users a0.. like items x0.., users b0.. items y0..; user i skips item i of their taste."""
    client.cmd("RECO.CREATE", key, "DIM", 8, "REG", "0.01", "REGN", "0.01", "UNOBSERVED", "0.1")
    words = []
    for user, item in (("a", "x"), ("b", "y")):
        for i in range(GROUP):
            for j in range(GROUP):
                if i != j:
                    words += [f"{user}{i}", f"{item}{j}", 1]
    client.cmd("RECO.MADD", key, *words)


def trained(client, key="shop"):
    two_tastes(client, key)
    client.cmd("RECO.RETRAIN", key, "SYNC")


class RankingTest(reco_e2e.ServerTest):
    """One trained collection for the class; nothing here writes to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.server.client() as client:
            trained(client)

    def setUp(self):
        self.connection = self.client()
        self.resp3 = self.client(protocol=3)

    def topk(self, *args):
        return self.connection.cmd("RECO.TOPK", "shop", *args)


@reco_only
class TopK(RankingTest):
    def test_offers_what_is_missing_first_and_leaves_out_what_is_seen(self):
        for i in range(GROUP):
            ranking = self.topk(f"a{i}", "COUNT", 100)
            self.assertEqual(b"x%d" % i, ranking[0])
            self.assertEqual({b"x%d" % i} | {b"y%d" % j for j in range(GROUP)}, set(ranking))

    def test_withseen_offers_everything(self):
        ranking = self.topk("a0", "WITHSEEN", "COUNT", 100)
        self.assertEqual(2 * GROUP, len(ranking))
        self.assertEqual({b"x%d" % j for j in range(GROUP)}, set(ranking[:GROUP]))

    def test_pages_are_pieces_of_the_whole(self):
        whole = self.topk("a0", "COUNT", 100)
        self.assertEqual(10, len(self.topk("a0")))
        self.assertEqual(whole[:10], self.topk("a0"))
        self.assertEqual(whole[3:8], self.topk("a0", "count", 5, "offset", 3))
        self.assertEqual([], self.topk("a0", "OFFSET", 100))
        self.assertEqual(whole, self.topk("a0", "COUNT", 10000, "OFFSET", 0))

    def test_scores_descend(self):
        reply = self.topk("a0", "WITHSCORES", "COUNT", 100)
        scores = [float(score) for score in reply[1::2]]
        self.assertEqual(sorted(scores, reverse=True), scores)
        self.assertEqual(self.topk("a0", "COUNT", 100), reply[::2])
        self.assertGreater(scores[0], 0.5)
        self.assertLess(scores[1], 0.5)

    def test_shapes_of_the_protocols(self):
        flat = self.topk("a0", "COUNT", 2, "WITHSCORES", "WITHSOURCE")
        self.assertEqual(6, len(flat))
        self.assertEqual([b"model", b"model"], flat[2::3])
        rows = self.resp3.cmd("RECO.TOPK", "shop", "a0", "WITHSOURCE", "WITHSCORES", "COUNT", 2)
        self.assertEqual([(b"x0", float, b"model"), (flat[3], float, b"model")],
                         [(row[0], type(row[1]), row[2]) for row in rows])
        self.assertEqual(float(flat[1]), rows[0][1])
        self.assertEqual([b"x0", b"model"], self.topk("a0", "COUNT", 1, "WITHSOURCE"))
        self.assertEqual([[b"x0", b"model"]], self.resp3.cmd(
            "RECO.TOPK", "shop", "a0", "COUNT", 1, "WITHSOURCE"))
        self.assertEqual(self.topk("a0"), self.resp3.cmd("RECO.TOPK", "shop", "a0"))

    def test_include_ranks_only_these_and_exclude_all_others(self):
        self.assertEqual([b"x0", b"y1"],
                         self.topk("a0", "INCLUDE", 4, "y1", "x0", "x1", "unknown"))
        self.assertEqual([b"x0"], self.topk("a0", "INCLUDE", 2, "y1", "x0", "EXCLUDE", 1, "y1"))
        self.assertNotIn(b"x0", self.topk("a0", "EXCLUDE", 2, "x0", "unknown"))
        # An id may look like an option.
        self.assertEqual([b"x0"], self.topk("a0", "INCLUDE", 2, "COUNT", "x0", "COUNT", 1))

    def test_context_moves_the_list_without_being_stored(self):
        before = self.topk("a0", "WITHSCORES", "COUNT", 100)
        moved = self.topk("a0", "CONTEXT", 3, "y1", "y2", "y3", "WITHSOURCE", "COUNT", 100)
        self.assertFalse({b"y1", b"y2", b"y3"} & set(moved[::2]))
        self.assertEqual({b"fold-in"}, set(moved[1::2]))
        self.assertEqual(before, self.topk("a0", "WITHSCORES", "COUNT", 100))

    def test_an_unknown_user_gets_the_popular_list(self):
        flat = self.topk("nobody", "WITHSOURCE", "COUNT", 100)
        self.assertEqual({b"popular"}, set(flat[1::2]))
        self.assertEqual(self.connection.cmd("RECO.POPULAR", "shop", "COUNT", 100), flat[::2])

    def test_an_unknown_user_with_context_is_a_session(self):
        self.assertEqual(
            self.connection.cmd("RECO.SESSION", "shop", 2, "x1", "x2"),
            self.topk("nobody", "CONTEXT", 2, "x1", "x2"))

    def test_a_missing_collection_is_empty(self):
        self.assertEqual([], self.connection.cmd("RECO.TOPK", "no", "a0"))


@reco_only
class Freshness(reco_e2e.ServerTest):
    def test_the_next_list_reflects_a_write_on_any_connection(self):
        writer, reader = self.client(), self.client()
        trained(writer)
        self.assertEqual(b"x0", reader.cmd("RECO.TOPK", "shop", "a0")[0])
        writer.cmd("RECO.ADD", "shop", "a0", "x0")
        flat = reader.cmd("RECO.TOPK", "shop", "a0", "WITHSOURCE", "COUNT", 100)
        self.assertNotIn(b"x0", flat[::2])
        self.assertEqual({b"fold-in"}, set(flat[1::2]))

    def test_a_new_user_and_a_new_item_count_from_the_first_event(self):
        client = self.client()
        trained(client)
        client.cmd("RECO.MADD", "shop", "new", "x1", 1, "new", "x2", 1, "new", "x3", 1)
        ranking = client.cmd("RECO.TOPK", "shop", "new", "COUNT", GROUP - 3)
        self.assertEqual({b"x%d" % i for i in range(GROUP)} - {b"x1", b"x2", b"x3"}, set(ranking))
        client.cmd("RECO.MADD", "shop", *[word for i in range(1, GROUP)
                                          for word in (f"a{i}", "fresh", 1)])
        self.assertIn(b"fresh", client.cmd("RECO.TOPK", "shop", "a0", "COUNT", 2))

    def test_without_a_model_the_list_is_the_popular_one(self):
        client = self.client()
        two_tastes(client)
        flat = client.cmd("RECO.TOPK", "shop", "a0", "WITHSOURCE")
        self.assertEqual({b"popular"}, set(flat[1::2]))
        self.assertEqual([None], client.cmd("RECO.SCORE", "shop", "a0", "x0"))

    def test_answers_survive_a_kill(self):
        client = self.client()
        trained(client)
        client.cmd("RECO.ADD", "shop", "a0", "x0")
        commands = [("RECO.TOPK", "shop", "a0", "COUNT", 5), ("RECO.HISTORY", "shop", "a0"),
                    ("RECO.SIMILAR", "shop", 1, "y1", "COUNT", 5), ("RECO.POPULAR", "shop")]
        before = client.pipeline(commands)
        self.server.kill9()
        self.server.start()
        self.assertEqual(before, self.client().pipeline(commands))


@reco_only
class Session(RankingTest):
    def session(self, *args):
        return self.connection.cmd("RECO.SESSION", "shop", *args)

    def test_offers_what_fits_the_basket_and_leaves_it_out(self):
        ranking = self.session(3, "x1", "x2", "x3", "COUNT", GROUP - 3)
        self.assertEqual({b"x%d" % i for i in range(GROUP)} - {b"x1", b"x2", b"x3"}, set(ranking))
        self.assertIn(b"x1", self.session(2, "x1", "x2", "WITHSEEN", "COUNT", 100))

    def test_the_order_of_the_items_does_not_matter(self):
        self.assertEqual(self.session(2, "x1", "y2", "WITHSCORES"),
                         self.session(2, "y2", "x1", "WITHSCORES"))

    def test_weights(self):
        light, heavy = (self.session(2, "x1", "y1", "WEIGHTS", x, y, "COUNT", 5)
                        for x, y in ((10, "0.1"), ("0.1", 10)))
        self.assertEqual({b"x"}, {item[:1] for item in light})
        self.assertEqual({b"y"}, {item[:1] for item in heavy})

    def test_source_is_fold_in_or_popular(self):
        self.assertEqual(b"fold-in", self.session(1, "x1", "WITHSOURCE")[1])
        self.assertEqual(b"popular", self.session(1, "unknown", "WITHSOURCE")[1])

    def test_a_missing_collection_is_empty(self):
        self.assertEqual([], self.connection.cmd("RECO.SESSION", "no", 1, "x1"))


@reco_only
class Similar(RankingTest):
    def test_nearest_items_are_of_the_same_taste(self):
        ranking = self.connection.cmd("RECO.SIMILAR", "shop", 1, "x1", "COUNT", GROUP - 1)
        self.assertEqual({b"x%d" % i for i in range(GROUP) if i != 1}, set(ranking))
        self.assertEqual(ranking, self.connection.cmd(
            "RECO.SIMILAR", "shop", 1, "x1", "by", "vector", "COUNT", GROUP - 1))

    def test_scores_are_cosines(self):
        rows = self.resp3.cmd("RECO.SIMILAR", "shop", 2, "x1", "x2", "WITHSCORES", "COUNT", 100)
        self.assertEqual(2 * GROUP - 2, len(rows))
        self.assertGreater(rows[0][1], 0.5)
        self.assertTrue(all(-1.0001 <= score <= 1.0001 for _, score in rows))

    def test_unknown_items_have_no_neighbours(self):
        self.assertEqual([], self.connection.cmd("RECO.SIMILAR", "shop", 1, "unknown"))
        self.assertEqual([], self.connection.cmd("RECO.SIMILAR", "no", 1, "x1"))


@reco_only
class ScoreAndExplain(RankingTest):
    def test_scores_are_those_of_the_ranking(self):
        rows = self.resp3.cmd("RECO.TOPK", "shop", "a0", "WITHSCORES", "COUNT", 3)
        scores = self.resp3.cmd("RECO.SCORE", "shop", "a0", *[item for item, _ in rows])
        for (_, expected), score in zip(rows, scores):
            self.assertAlmostEqual(expected, score, delta=1e-4 * max(1, abs(expected)))

    def test_unknown_ids_score_null(self):
        self.assertIsNone(self.connection.cmd("RECO.SCORE", "shop", "a0", "x0", "unknown")[1])
        self.assertEqual([None], self.connection.cmd("RECO.SCORE", "shop", "nobody", "x0"))
        self.assertEqual([None, None], self.connection.cmd("RECO.SCORE", "no", "a0", "x0", "x1"))

    def test_the_shares_add_up_to_the_score(self):
        explanation = self.resp3.cmd("RECO.EXPLAIN", "shop", "a0", "x0", "COUNT", 100)
        explanation = as_map(explanation)
        self.assertEqual(["score", "remainder", "shares"], list(explanation))
        shares = explanation["shares"]
        self.assertEqual({b"x%d" % i for i in range(1, GROUP)}, {item for item, _ in shares})
        self.assertAlmostEqual(explanation["score"], sum(share for _, share in shares), places=3)
        self.assertAlmostEqual(0, explanation["remainder"], places=3)
        sizes = [abs(share) for _, share in shares]
        self.assertEqual(sorted(sizes, reverse=True), sizes)
        self.assertAlmostEqual(explanation["score"],
                               self.resp3.cmd("RECO.SCORE", "shop", "a0", "x0")[0], places=4)

    def test_explain_in_resp2_and_with_a_count(self):
        explanation = as_map(self.connection.cmd("RECO.EXPLAIN", "shop", "a0", "x0", "COUNT", 2))
        self.assertEqual(4, len(explanation["shares"]))
        self.assertIsInstance(float(explanation["shares"][1]), float)

    def test_unknown_ids_explain_null(self):
        for args in [("shop", "nobody", "x0"), ("shop", "a0", "unknown"), ("no", "a0", "x0")]:
            with self.subTest(args=args):
                self.assertIsNone(self.connection.cmd("RECO.EXPLAIN", *args))


@reco_only
class Popular(reco_e2e.ServerTest):
    def test_by_users_weight_and_events(self):
        client = self.client()
        client.cmd("RECO.MADD", "shop", "ann", "users", 1, "bob", "users", 1, "cid", "users", 1,
                   "ann", "heavy", 50, "ann", "often", 1, "ann", "often", 1, "ann", "often", 1,
                   "ann", "often", 1)
        for words, expected in [((), [b"users", b"3"]), (("BY", "USERS"), [b"users", b"3"]),
                                (("by", "weight"), [b"heavy", b"50"]),
                                (("BY", "EVENTS"), [b"often", b"4"])]:
            with self.subTest(words=words):
                self.assertEqual(expected, client.cmd("RECO.POPULAR", "shop", "COUNT", 1,
                                                      "WITHSCORES", *words))

    def test_ties_break_by_id_and_pages_are_stable(self):
        client = self.client()
        client.cmd("RECO.MADD", "shop", "ann", "c", 1, "ann", "a", 1, "ann", "b", 1)
        self.assertEqual([b"a", b"b", b"c"], client.cmd("RECO.POPULAR", "shop"))
        self.assertEqual([b"b"], client.cmd("RECO.POPULAR", "shop", "COUNT", 1, "OFFSET", 1))
        self.assertEqual([b"c", b"popular"], client.cmd(
            "RECO.POPULAR", "shop", "WITHSOURCE", "EXCLUDE", 1, "b", "INCLUDE", 2, "c", "b"))

    def test_what_nobody_likes_is_not_popular(self):
        client = self.client()
        for user in range(4):
            client.cmd("RECO.ADD", "shop", f"u{user}", "bad", -1)
        client.cmd("RECO.MADD", "shop", "u0", "good", 1, "u1", "good", 2, "u2", "good", -1)
        for by, score in (("USERS", b"2"), ("EVENTS", b"2"), ("WEIGHT", b"2")):
            for window in ((), ("WINDOW", 60)):
                self.assertEqual([b"good", score], client.cmd(
                    "RECO.POPULAR", "shop", "BY", by, *window, "WITHSCORES"))
        self.assertEqual([b"good"], client.cmd("RECO.TRENDING", "shop"))
        self.assertEqual([b"good", b"popular"],
                         client.cmd("RECO.TOPK", "shop", "nobody", "WITHSOURCE"))

    def test_is_current_to_the_last_write(self):
        client = self.client()
        client.cmd("RECO.MADD", "shop", "ann", "lamp", 1, "bob", "lamp", 1, "ann", "desk", 1)
        self.assertEqual([b"lamp", b"desk"], client.cmd("RECO.POPULAR", "shop"))
        client.cmd("RECO.REM", "shop", "ann", "lamp")
        client.cmd("RECO.ADD", "shop", "bob", "desk")
        self.assertEqual([b"desk", b"lamp"], client.cmd("RECO.POPULAR", "shop"))
        self.assertEqual([], client.cmd("RECO.POPULAR", "no"))


@reco_only
class BadInput(RankingTest):
    COMMANDS = [("RECO.TOPK", "shop", "a0"), ("RECO.SESSION", "shop", 1, "x1"),
                ("RECO.SIMILAR", "shop", 1, "x1"), ("RECO.POPULAR", "shop")]

    def test_common_options(self):
        for options, message in [
                (("COUNT", 0), "ERR COUNT must be between 1 and 10000"),
                (("COUNT", 10001), "ERR COUNT must be between 1 and 10000"),
                (("COUNT", -1), "ERR COUNT must be between 1 and 10000"),
                (("COUNT", "abc"), NOT_INTEGER), (("COUNT", "1.5"), NOT_INTEGER),
                (("COUNT", "1e400"), NOT_INTEGER), (("COUNT", "0x10"), NOT_INTEGER),
                (("COUNT", " 1"), NOT_INTEGER), (("COUNT", "99999999999999999999"), NOT_INTEGER),
                (("OFFSET", -1), "ERR OFFSET must be between 0 and 1000000"),
                (("OFFSET", "nan"), NOT_INTEGER),
                (("OFFSET", 1000000), "ERR OFFSET and COUNT must add up to at most 1000000"),
                (("COUNT",), SYNTAX), (("OFFSET",), SYNTAX), (("NOSUCH",), SYNTAX),
                (("COUNT", 1, "count", 1), SYNTAX), (("WITHSCORES", "WITHSCORES"), SYNTAX),
                (("WITHSOURCE", "WITHSOURCE"), SYNTAX), (("10",), SYNTAX),
                (("INCLUDE",), SYNTAX), (("INCLUDE", 2, "x1"), SYNTAX),
                (("INCLUDE", 0), "ERR INCLUDE must be between 1 and 10000"),
                (("EXCLUDE", 10001, "x1"), "ERR EXCLUDE must be between 1 and 10000"),
                (("EXCLUDE", "x", "x1"), NOT_INTEGER),
                (("EXCLUDE", 1, ""), "ERR item id must be 1 to 512 bytes long, got 0"),
                (("INCLUDE", 1, "x" * 513), "ERR item id must be 1 to 512 bytes long, got 513"),
                (("INCLUDE", 1, "x1", "INCLUDE", 1, "x1"), SYNTAX)]:
            for command in self.COMMANDS:
                with self.subTest(command=command, options=options):
                    self.assertEqual(message, self.connection.error(*command, *options))

    def test_own_options(self):
        for args, message in [
                (("TOPK", "shop", ""), "ERR user id must be 1 to 512 bytes long, got 0"),
                (("TOPK", "shop", "u" * 513), "ERR user id must be 1 to 512 bytes long, got 513"),
                (("TOPK", "shop", "a0", "CONTEXT", 2, "x1"), SYNTAX),
                (("TOPK", "shop", "a0", "CONTEXT", 0), "ERR CONTEXT must be between 1 and 10000"),
                (("TOPK", "shop", "a0", "WITHSEEN", "WITHSEEN"), SYNTAX),
                (("TOPK", "shop", "a0", "BY", "VECTOR"), SYNTAX),
                (("SESSION", "shop", 0, "x1"),
                 "ERR the number of items must be between 1 and 10000"),
                (("SESSION", "shop", "x", "x1"), NOT_INTEGER),
                (("SESSION", "shop", 3, "x1", "x2"), SYNTAX),
                (("SESSION", "shop", 1, ""), "ERR item id must be 1 to 512 bytes long, got 0"),
                (("SESSION", "shop", 2, "x1", "x2", "WEIGHTS", 1), SYNTAX),
                (("SESSION", "shop", 1, "x1", "WEIGHTS", 1, 2), SYNTAX),
                (("SESSION", "shop", 1, "x1", "WEIGHTS", "nan"), NOT_FLOAT),
                (("SESSION", "shop", 1, "x1", "WEIGHTS", "inf"), NOT_FLOAT),
                (("SESSION", "shop", 1, "x1", "WEIGHTS", "1e7"),
                 "ERR weight must be between -1000000 and 1000000"),
                (("SESSION", "shop", 1, "x1", "CONTEXT", 1, "x2"), SYNTAX),
                (("SIMILAR", "shop", 1, "x1", "BY"), SYNTAX),
                (("SIMILAR", "shop", 1, "x1", "BY", "NOSUCH"), SYNTAX),
                (("SIMILAR", "shop", 1, "x1", "WITHSEEN"), SYNTAX),
                (("POPULAR", "shop", "BY", "NOSUCH"), SYNTAX),
                (("POPULAR", "shop", "BY", "USERS", "BY", "USERS"), SYNTAX),
                (("SCORE", "shop", "a0", ""), "ERR item id must be 1 to 512 bytes long, got 0"),
                (("SCORE", "shop", "u" * 513, "x0"),
                 "ERR user id must be 1 to 512 bytes long, got 513"),
                (("EXPLAIN", "shop", "a0", "x0", "COUNT", 0),
                 "ERR COUNT must be between 1 and 10000"),
                (("EXPLAIN", "shop", "a0", "x0", "COUNT"), SYNTAX),
                (("EXPLAIN", "shop", "a0", "x0", "NOSUCH"), SYNTAX),
                (("EXPLAIN", "shop", "a0", "i" * 513),
                 "ERR item id must be 1 to 512 bytes long, got 513")]:
            with self.subTest(args=args):
                self.assertEqual(message, self.connection.error("RECO." + args[0], *args[1:]))

    def test_a_string_is_not_a_collection(self):
        self.connection.cmd("SET", "k", "one")
        for args in [("TOPK", "k", "a0"), ("SESSION", "k", 1, "x1"), ("SIMILAR", "k", 1, "x1"),
                     ("SCORE", "k", "a0", "x0"), ("EXPLAIN", "k", "a0", "x0"), ("POPULAR", "k")]:
            with self.subTest(args=args):
                self.assertEqual(
                    "WRONGTYPE Operation against a key holding the wrong kind of value",
                    self.connection.error("RECO." + args[0], *args[1:]))

    def test_arity(self):
        for args in [("TOPK", "shop"), ("SESSION", "shop", 1), ("SIMILAR", "shop", 1),
                     ("SCORE", "shop", "a0"), ("EXPLAIN", "shop", "a0"), ("POPULAR",)]:
            with self.subTest(args=args):
                self.assertEqual(
                    f"ERR wrong number of arguments for 'reco.{args[0].lower()}' command",
                    self.connection.error("RECO." + args[0], *args[1:]))


if __name__ == "__main__":
    unittest.main()
