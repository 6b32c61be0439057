"""RECO.MTOPK, SIMUSERS, SURPRISING, SESSIONSCORE, SIMILARITY, SESSIONEXPLAIN, WHY, REPRESENTATIVE,
and WITHATTRS, DIVERSITY and MODEL of the lists."""
import math
import unittest

import reco_e2e
from reco_e2e import as_map, reco_only
from test_reco_rankings import (GROUP, NOT_FLOAT, NOT_INTEGER, RECENCY_RANGE, SYNTAX, RankingTest,
                                trained)

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
COUNT_RANGE = "ERR COUNT must be between 1 and 10000"
EMPTY_ITEM = "ERR item id must be 1 to 512 bytes long, got 0"
TOLERANCE = 1e-4  # of scores of about 1, kept in single precision
ITEMS = [b"%s%d" % (taste, i) for taste in (b"x", b"y") for i in range(GROUP)]
USERS = [b"%s%d" % (taste, i) for taste in (b"a", b"b") for i in range(GROUP)]
# Every new command with arguments that a trained shop answers.
VALID = [("MTOPK", 2, "a0", "b0"), ("SIMUSERS", "a0"), ("SURPRISING", "a0"),
         ("SESSIONSCORE", "x0", 2, "x1", "x2"), ("SIMILARITY", "x0", "x1"),
         ("SESSIONEXPLAIN", "x0", 2, "x1", "x2"), ("WHY", "a0", "x0"), ("REPRESENTATIVE",)]
ITEM_LISTS = [("TOPK", "a0"), ("TOPK", "nobody"), ("MTOPK", 2, "a0", "b0"),
              ("SESSION", 2, "x1", "y2"), ("SIMILAR", 1, "x1"), ("SURPRISING", "a0"),
              ("SIMILAR", 1, "x1", "BY", "COOCCURRENCE"), ("POPULAR",), ("POPULAR", "WINDOW", 60),
              ("TRENDING",), ("LATEST",)]
USER_LISTS = [("SIMUSERS", "a0"), ("ACTIVEUSERS",)]


def cosine(a, b):
    lengths = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(x * x for x in b))
    return sum(x * y for x, y in zip(a, b)) / lengths


def by_score(rows):
    """(id, score) rows, best first, ties by id."""
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def shortfall(rows, vectors, trade, answer):
    """By how much any id of `answer` falls short of the largest marginal relevance among those of
    the (id, score) `rows` that stand behind it."""
    scores = dict(rows)
    unit = abs(rows[0][1])

    def marginal(name, chosen):
        nearest = max((cosine(vectors[name], vectors[other]) for other in chosen), default=0)
        return (1 - trade) * scores[name] / unit - trade * nearest
    return max(max(marginal(name, answer[:i]) for name in answer[i:]) - marginal(one, answer[:i])
               for i, one in enumerate(answer))


class QueryTest(RankingTest):
    def reco(self, name, *args):
        return self.connection.cmd("RECO." + name, "shop", *args)

    def reco3(self, name, *args):
        return self.resp3.cmd("RECO." + name, "shop", *args)

    def error(self, name, *args):
        return self.connection.error("RECO." + name, *args)

    def vector(self, side, name):
        return self.resp3.cmd("RECO.VECTOR", "GET", "shop", side, name)

    def assert_rows_near(self, expected, rows, delta=TOLERANCE):
        """The same ids with near scores; near-equal neighbours may have changed places."""
        self.assertEqual(len(expected), len(rows))
        wanted = dict(expected)
        self.assertEqual(set(wanted), {row[0] for row in rows})
        for row in rows:
            self.assertAlmostEqual(wanted[row[0]], row[1], delta=delta)
        self.assertEqual([row[1] for row in rows], sorted((row[1] for row in rows), reverse=True))


@reco_only
class GroupTopK(QueryTest):
    def test_scores_are_the_mean_of_the_members(self):
        members = ("a0", "a1", "b0")
        scores = [self.reco3("SCORE", user, *ITEMS) for user in members]
        means = [(item, sum(column) / len(members)) for item, column in zip(ITEMS, zip(*scores))]
        rows = self.reco3("MTOPK", 3, *members, "WITHSEEN", "WITHSCORES", "COUNT", 100)
        self.assert_rows_near(means, [(item, score) for item, score in rows])

    def test_what_any_member_has_seen_is_left_out(self):
        self.assertEqual([], self.reco("MTOPK", 3, "a0", "a1", "b0", "INCLUDE", 2, "x0", "x1"))
        self.assertEqual({b"x0", b"y0"}, set(self.reco("MTOPK", 2, "a0", "b0", "COUNT", 100)))

    def test_one_member_is_that_members_list(self):
        for members in (("a0",), ("a0", "a0"), ("a0", "nobody")):
            rows = self.reco3("MTOPK", len(members), *members, "WITHSCORES", "COUNT", 100)
            self.assert_rows_near(self.reco3("TOPK", "a0", "WITHSCORES", "COUNT", 100), rows)

    def test_unknown_users_alone_get_the_popular_list(self):
        flat = self.reco("MTOPK", 2, "nobody", "none", "WITHSOURCE", "COUNT", 100)
        self.assertEqual({b"popular"}, set(flat[1::2]))
        self.assertEqual(self.reco("POPULAR", "COUNT", 100), flat[::2])

    def test_unknown_users_with_context_are_a_session(self):
        self.assertEqual(self.reco("SESSION", 2, "x1", "x2"),
                         self.reco("MTOPK", 1, "nobody", "CONTEXT", 2, "x1", "x2"))

    def test_shapes_of_the_protocols(self):
        words = ("MTOPK", 2, "a0", "b0", "WITHSCORES", "WITHATTRS", "WITHSOURCE")
        flat, rows = self.reco(*words), self.reco3(*words)
        self.assertEqual(8, len(flat))
        self.assertEqual([[flat[0], float(flat[1]), flat[2], None],
                          [flat[4], float(flat[5]), flat[6], None]], rows)

    def test_errors(self):
        for args, message in [
                (("shop", 0, "a0"), "ERR the number of users must be between 1 and 1000"),
                (("shop", "x", "a0"), NOT_INTEGER), (("shop", 3, "a0", "b0"), SYNTAX),
                (("shop", 1001) + ("a0",) * 1001,
                 "ERR the number of users must be between 1 and 1000"),
                (("shop", 1, "u" * 513), "ERR user id must be 1 to 512 bytes long, got 513"),
                (("shop", 1, "a0", "b0"), SYNTAX), (("shop", 1, "a0", "WEIGHTS", 1), SYNTAX),
                (("shop", 1, "a0", "RECENCY", 0), RECENCY_RANGE),
                (("shop", 1, "a0", "RECENCY", "x"), RECENCY_RANGE)]:
            with self.subTest(args=args[:4]):
                self.assertEqual(message, self.error("MTOPK", *args))


@reco_only
class SimilarUsers(QueryTest):
    def test_scores_are_cosines_of_the_vectors(self):
        vectors = {user: self.vector("USER", user) for user in USERS}
        expected = [(user, cosine(vectors[b"a0"], vectors[user]))
                    for user in USERS if user != b"a0"]
        rows = self.reco3("SIMUSERS", "a0", "WITHSCORES", "COUNT", 100)
        self.assert_rows_near(expected, [tuple(row) for row in rows])

    def test_pages_include_and_exclude(self):
        whole = self.reco("SIMUSERS", "a0", "COUNT", 100)
        self.assertEqual(whole[3:8], self.reco("SIMUSERS", "a0", "COUNT", 5, "OFFSET", 3))
        self.assertEqual([b"b1"], self.reco("SIMUSERS", "a0", "INCLUDE", 3, "a0", "b1", "none"))
        self.assertEqual(whole[1:], self.reco("SIMUSERS", "a0", "EXCLUDE", 1, whole[0],
                                              "COUNT", 100))

    def test_unknown_users_are_near_nobody(self):
        self.assertEqual([], self.reco("SIMUSERS", "nobody"))


@reco_only
class Surprising(QueryTest):
    def test_offers_what_is_known_from_the_lowest_score_up(self):
        known = self.reco("HISTORY", "a0", "COUNT", 100)
        rows = self.reco3("SURPRISING", "a0", "WITHSCORES", "COUNT", 100)
        self.assertEqual(set(known), {item for item, _ in rows})
        scores = [score for _, score in rows]
        self.assertEqual(sorted(scores), scores)
        for expected, score in zip(self.reco3("SCORE", "a0", *[row[0] for row in rows]), scores):
            self.assertAlmostEqual(expected, score, delta=TOLERANCE)

    def test_pages_include_and_exclude(self):
        whole = self.reco("SURPRISING", "a0", "COUNT", 100)
        self.assertEqual(whole[2:6], self.reco("SURPRISING", "a0", "COUNT", 4, "OFFSET", 2))
        self.assertEqual([b"x3"], self.reco("SURPRISING", "a0", "INCLUDE", 3, "x0", "x3", "none"))
        self.assertEqual(whole[1:], self.reco("SURPRISING", "a0", "EXCLUDE", 1, whole[0],
                                              "COUNT", 100))

    def test_nothing_surprises_of_the_unknown(self):
        self.assertEqual([], self.reco("SURPRISING", "nobody"))


@reco_only
class Baskets(QueryTest):
    BASKETS = [(1, "x1"), (2, "x1", "y2"), (3, "x1", "x2", "y3", "WEIGHTS", 1, "0.5", 2)]

    def test_the_score_is_that_of_the_session_list(self):
        for basket in self.BASKETS:
            rows = self.reco3("SESSION", *basket, "WITHSCORES", "WITHSEEN", "COUNT", 100)
            self.assertEqual(2 * GROUP, len(rows))
            for item, score in rows:
                self.assertAlmostEqual(score, self.reco3("SESSIONSCORE", item, *basket),
                                       delta=TOLERANCE)

    def test_the_shares_add_up_to_the_score(self):
        for basket in self.BASKETS:
            answer = as_map(self.reco3("SESSIONEXPLAIN", "x0", *basket))
            self.assertEqual(["score", "remainder", "shares"], list(answer))
            shares = [share for _, share in answer["shares"]]
            self.assertAlmostEqual(self.reco3("SESSIONSCORE", "x0", *basket), answer["score"],
                                   delta=TOLERANCE)
            self.assertAlmostEqual(answer["score"], sum(shares) + answer["remainder"], places=6)
            self.assertAlmostEqual(0, answer["remainder"], delta=TOLERANCE)
            self.assertEqual({word.encode() for word in basket[1:1 + basket[0]]},
                             {item for item, _ in answer["shares"]})
            self.assertEqual(sorted(map(abs, shares), reverse=True), list(map(abs, shares)))

    def test_a_count_cuts_the_shares(self):
        flat = as_map(self.reco("SESSIONEXPLAIN", "x0", 3, "x1", "x2", "y3", "COUNT", 2))
        self.assertEqual(4, len(flat["shares"]))
        self.assertIsInstance(float(flat["score"]), float)

    def test_an_unknown_target_is_null(self):
        for name in ("SESSIONSCORE", "SESSIONEXPLAIN"):
            self.assertIsNone(self.reco(name, "unknown", 1, "x1"))
            self.assertIsNone(self.reco3(name, "unknown", 1, "x1"))

    def test_a_basket_of_unknown_items_alone_is_null(self):
        for name in ("SESSIONSCORE", "SESSIONEXPLAIN"):
            self.assertIsNone(self.reco(name, "x0", 2, "unknown", "none"))
            self.assertIsNone(self.reco3(name, "x0", 2, "unknown", "none"))
        self.assertEqual(self.reco3("SESSIONSCORE", "x0", 1, "x1"),
                         self.reco3("SESSIONSCORE", "x0", 2, "unknown", "x1"))

    def test_doubles_are_text_in_resp2(self):
        self.assertEqual(float(self.reco("SESSIONSCORE", "x0", 1, "x1")),
                         self.reco3("SESSIONSCORE", "x0", 1, "x1"))

    def test_errors(self):
        for tail, message in [
                (("x0", 0, "x1"), "ERR the number of items must be between 1 and 10000"),
                (("x0", 10001, "x1"), "ERR the number of items must be between 1 and 10000"),
                (("x0", "one", "x1"), NOT_INTEGER), (("x0", 2, "x1"), SYNTAX),
                (("", 1, "x1"), EMPTY_ITEM), (("x0", 1, ""), EMPTY_ITEM),
                (("x0", 1, "x1", "WEIGHTS"), SYNTAX), (("x0", 1, "x1", "WEIGHTS", 1, 2), SYNTAX),
                (("x0", 1, "x1", "WEIGHTS", "inf"), NOT_FLOAT),
                (("x0", 1, "x1", "WEIGHTS", "-1e7"),
                 "ERR weight must be between -1000000 and 1000000"),
                (("x0", 1, "x1", "WEIGHTS", 1, "WEIGHTS", 1), SYNTAX),
                (("x0", 1, "x1", "WITHSCORES"), SYNTAX)]:
            for name in ("SESSIONSCORE", "SESSIONEXPLAIN"):
                with self.subTest(name=name, tail=tail):
                    self.assertEqual(message, self.error(name, "shop", *tail))
        self.assertEqual(SYNTAX, self.error("SESSIONSCORE", "shop", "x0", 1, "x1", "COUNT", 1))
        self.assertEqual(COUNT_RANGE,
                         self.error("SESSIONEXPLAIN", "shop", "x0", 1, "x1", "COUNT", 0))


@reco_only
class Similarity(QueryTest):
    def test_answers_the_cosines_in_order_and_null_for_the_unknown(self):
        vectors = {item: self.vector("ITEM", item) for item in (b"x0", b"x1", b"y0")}
        others = (b"y0", b"unknown", b"x0", b"x1")
        answer = self.reco3("SIMILARITY", "x0", *others)
        self.assertIsNone(answer[1])
        for i in (0, 2, 3):
            self.assertAlmostEqual(cosine(vectors[b"x0"], vectors[others[i]]), answer[i],
                                   delta=TOLERANCE)
        flat = self.reco("SIMILARITY", "x0", *others)
        self.assertEqual(answer, [None if word is None else float(word) for word in flat])

    def test_an_unknown_item_has_none(self):
        self.assertEqual([None, None], self.reco("SIMILARITY", "unknown", "x0", "x1"))

    def test_ten_thousand_others_in_one_command(self):
        answer = self.reco3("SIMILARITY", "x0", *["x1"] * 10000)
        self.assertEqual(10000, len(answer))
        self.assertEqual(1, len(set(answer)))

    def test_more_than_ten_thousand_others_are_refused(self):
        for name in ("SIMILARITY", "SCORE"):
            with self.subTest(name=name):
                self.assertEqual("ERR the number of items must be between 1 and 10000",
                                 self.error(name, "shop", "x0", *["x1"] * 10001))


@reco_only
class Representative(QueryTest):
    def test_each_feature_has_the_item_with_the_largest_component(self):
        vectors = {item: self.vector("ITEM", item) for item in ITEMS}
        rows = self.reco3("REPRESENTATIVE")
        self.assertEqual(8, len(rows))
        for feature, (item, component) in enumerate(rows):
            largest = max(vector[feature] for vector in vectors.values())
            self.assertAlmostEqual(largest, component, places=6)
            self.assertAlmostEqual(largest, vectors[item][feature], places=6)
        flat = self.reco("REPRESENTATIVE")
        self.assertEqual([word for row in rows for word in row],
                         [float(word) if i % 2 else word for i, word in enumerate(flat)])


@reco_only
class Why(QueryTest):
    def why(self, user, item):
        return as_map(self.reco3("WHY", user, item))

    def test_the_rank_is_the_place_in_the_list(self):
        for user in ("a0", "nobody"):
            rows = self.reco3("TOPK", user, "WITHSCORES", "COUNT", 100)
            for place, (item, score) in enumerate(rows, 1):
                answer = self.why(user, item)
                self.assertEqual((b"ranked", place, []),
                                 (answer["state"], answer["rank"], answer["rules"]))
                self.assertAlmostEqual(score, answer["score"], delta=TOLERANCE)

    def test_states_of_what_is_not_in_the_list(self):
        seen = self.why("a0", "x1")
        self.assertEqual((b"seen", None), (seen["state"], seen["rank"]))
        self.assertAlmostEqual(self.reco3("SCORE", "a0", "x1")[0], seen["score"], delta=TOLERANCE)
        self.assertEqual({"state": b"unknown-item", "rank": None, "score": None,
                   "taken-out-by": None, "rules": [], "missing-fields": {}},
                         self.why("a0", "unknown"))

    def test_resp2_is_the_same_map_flat(self):
        flat, answer = as_map(self.reco("WHY", "a0", "x0")), self.why("a0", "x0")
        self.assertEqual(["state", "rank", "score", "taken-out-by", "rules", "missing-fields"],
                         list(flat))
        self.assertEqual(answer, {**flat, "score": float(flat["score"]),
                                  "missing-fields": as_map(flat["missing-fields"])})


@reco_only
class WhyOfRecords(reco_e2e.ServerTest):
    def test_hidden_expired_and_deleted_items(self):
        client = self.client(protocol=3)
        trained(client)
        client.cmd("RECO.ITEM", "SET", "shop", "y0", "HIDDEN", 1)
        client.cmd("RECO.ITEM", "SET", "shop", "y1", "EXPIREAT", 1)
        client.cmd("RECO.ITEM", "DEL", "shop", "y2")
        for item, state in (("y0", b"hidden"), ("y1", b"expired"), ("y2", b"unknown-item")):
            self.assertEqual(state, as_map(client.cmd("RECO.WHY", "shop", "a0", item))["state"])


@reco_only
class HiddenAndDeleted(reco_e2e.ServerTest):
    def test_what_is_hidden_or_deleted_vanishes_from_the_lists_but_may_ask(self):
        client = self.client()
        trained(client)
        near = client.cmd("RECO.SIMUSERS", "shop", "a4", "COUNT", 2)
        client.cmd("RECO.USER", "SET", "shop", "a4", "HIDDEN", 1)
        self.assertEqual(near, client.cmd("RECO.SIMUSERS", "shop", "a4", "COUNT", 2))
        client.cmd("RECO.USER", "DEL", "shop", "b4")
        client.cmd("RECO.ITEM", "SET", "shop", "x1", "HIDDEN", 1)
        client.cmd("RECO.ITEM", "DEL", "shop", "x2")
        left = set(USERS) - {b"a0", b"a4", b"b4"}
        self.assertEqual(left, set(client.cmd("RECO.SIMUSERS", "shop", "a0", "COUNT", 100)))
        self.assertEqual({b"x%d" % i for i in range(3, GROUP)},
                         set(client.cmd("RECO.SURPRISING", "shop", "a0", "COUNT", 100)))
        self.assertFalse({b"x1", b"x2"} & set(client.cmd("RECO.REPRESENTATIVE", "shop")[::2]))
        self.assertIsNone(client.cmd("RECO.SIMILARITY", "shop", "x3", "x2")[0])


@reco_only
class ListOptions(QueryTest):
    def test_attributes_are_null_where_there_are_none(self):
        for words in ITEM_LISTS + USER_LISTS:
            with self.subTest(words=words):
                flat = self.reco(*words, "WITHATTRS", "COUNT", 2)
                self.assertEqual([None] * 2, flat[1::2])
                self.assertEqual([[name, None] for name in flat[::2]],
                                 self.reco3(*words, "WITHATTRS", "COUNT", 2))

    def test_diversity_is_maximal_marginal_relevance(self):
        vectors = {item: self.vector("ITEM", item) for item in ITEMS}
        for words in (("SESSION", 2, "x1", "y2"), ("TOPK", "a0"), ("SIMILAR", 1, "x1")):
            rows = self.reco3(*words, "WITHSCORES", "COUNT", 100)
            for trade in (0.1, 0.5, 0.9):
                with self.subTest(words=words, trade=trade):
                    answer = self.reco(*words, "DIVERSITY", trade, "COUNT", 100)
                    self.assertLess(shortfall(rows, vectors, trade, answer), TOLERANCE)
                    self.assertEqual({row[0] for row in rows}, set(answer))
                    self.assertEqual(len(rows), len(answer))

    def test_no_diversity_is_the_plain_list(self):
        for words in ITEM_LISTS:
            with self.subTest(words=words):
                plain = self.reco(*words, "COUNT", 100)
                self.assertEqual(plain, self.reco(*words, "COUNT", 100, "DIVERSITY", 0))
                self.assertEqual(set(plain), set(self.reco(*words, "COUNT", 100, "DIVERSITY", 1)))

    def test_a_least_score_cuts_the_list_where_the_scores_fall_below_it(self):
        for words in ITEM_LISTS + USER_LISTS:
            if words[0] == "LATEST":
                continue
            rows = self.reco3(*words, "WITHSCORES", "COUNT", 100)
            lowest_first = words[0] == "SURPRISING"
            moving = words[0] == "TRENDING"  # its scores are of this moment
            for _, score in rows:
                least = score * 0.99 if moving else score
                kept = [name for name, other in rows
                        if (other <= least if lowest_first else other >= least)]
                options = ("MINSCORE", repr(least))
                with self.subTest(words=words, least=least):
                    self.assertEqual(kept, self.reco(*words, "COUNT", 100, *options))
                    self.assertEqual(kept[1:3], self.reco(*words, "COUNT", 2, "OFFSET", 1,
                                                          *options))

    def test_the_model_in_use_may_be_named_and_none_that_is_not_there(self):
        for words in (("TOPK", "a0"), ("MTOPK", 1, "a0"), ("SESSION", 1, "x1"),
                      ("SIMILAR", 1, "x1"), ("SURPRISING", "a0")):
            with self.subTest(words=words):
                self.assertEqual(self.reco(*words), self.reco(*words, "MODEL", 1))
                self.assertEqual("ERR model 2 is not kept; RECO.MODEL LIST says which models are",
                                 self.error(words[0], "shop", *words[1:], "MODEL", 2))

    def test_errors_of_the_options(self):
        vector_lists = [("TOPK", "a0"), ("MTOPK", 1, "a0"), ("SESSION", 1, "x1"),
                        ("SIMILAR", 1, "x1"), ("SURPRISING", "a0")]
        item_lists = vector_lists + [("POPULAR",), ("TRENDING",), ("LATEST",)]
        for lists, options, message in [
                (item_lists + USER_LISTS, ("WITHATTRS", "withattrs"), SYNTAX),
                (item_lists + USER_LISTS, ("COUNT", 10001), COUNT_RANGE),
                (item_lists + USER_LISTS, ("OFFSET", 1000000),
                 "ERR OFFSET and COUNT must add up to at most 1000000"),
                (item_lists + USER_LISTS, ("NOSUCH",), SYNTAX),
                (item_lists, ("DIVERSITY",), SYNTAX),
                (item_lists, ("DIVERSITY", "1.01"), "ERR DIVERSITY must be between 0 and 1"),
                (item_lists, ("DIVERSITY", "-1"), "ERR DIVERSITY must be between 0 and 1"),
                (item_lists, ("DIVERSITY", "nan"), NOT_FLOAT),
                (item_lists, ("DIVERSITY", 0, "DIVERSITY", 0), SYNTAX),
                (USER_LISTS, ("DIVERSITY", 0), SYNTAX),
                (item_lists[:-1] + USER_LISTS, ("MINSCORE", "nan"), NOT_FLOAT),
                (vector_lists, ("MINSCORE", 1, "MINSCORE", 1), SYNTAX),
                ([("LATEST",), ("AUDIENCE", "x1"), ("HISTORY", "a0")], ("MINSCORE", 1), SYNTAX),
                (vector_lists, ("MODEL", 0), "ERR MODEL must be between 1 and 4294967295"),
                (vector_lists, ("MODEL", 4294967296), "ERR MODEL must be between 1 and 4294967295"),
                (vector_lists, ("MODEL", "first"), NOT_INTEGER),
                (vector_lists, ("MODEL", 1, "MODEL", 1), SYNTAX),
                (USER_LISTS + item_lists[-3:], ("MODEL", 1), SYNTAX),
                ([("SIMILAR", 1, "x1")], ("BY", "COOCCURRENCE", "MODEL", 1),
                 "ERR this list takes no MODEL: leave it out"),
                ([("SURPRISING", "a0"), ("SIMUSERS", "a0")], ("WITHSEEN",), SYNTAX)]:
            for words in lists:
                with self.subTest(words=words, options=options):
                    self.assertEqual(message, self.error(words[0], "shop", *words[1:], *options))


@reco_only
class Common(QueryTest):
    def test_a_string_is_not_a_collection(self):
        self.connection.cmd("SET", "text", "one")
        for name, *args in VALID:
            with self.subTest(name=name):
                self.assertEqual(WRONG_TYPE, self.error(name, "text", *args))

    def test_a_missing_collection_answers_empty(self):
        unknown = {"state": b"unknown-item", "rank": None, "score": None,
                   "taken-out-by": None, "rules": [], "missing-fields": {}}
        empty = {"SESSIONSCORE": None, "SESSIONEXPLAIN": None, "SIMILARITY": [None], "WHY": unknown}
        for name, *args in VALID:
            with self.subTest(name=name):
                answer = self.resp3.cmd("RECO." + name, "none", *args)
                self.assertEqual(empty.get(name, []), as_map(answer) if name == "WHY" else answer)

    def test_arity(self):
        for name, *args in [("MTOPK", "shop", 1), ("SIMUSERS", "shop"), ("SURPRISING", "shop"),
                            ("SESSIONSCORE", "shop", "x0", 1), ("SIMILARITY", "shop", "x0"),
                            ("SESSIONEXPLAIN", "shop", "x0", 1), ("WHY", "shop", "a0"),
                            ("REPRESENTATIVE",),
                            ("REPRESENTATIVE", "shop", "x0")]:
            with self.subTest(name=name, args=args):
                self.assertEqual(
                    f"ERR wrong number of arguments for 'reco.{name.lower()}' command",
                    self.error(name, *args))

    def test_ids_have_1_to_512_bytes(self):
        for name, before, after in [("SIMUSERS", (), ()), ("SURPRISING", (), ()),
                                    ("WHY", (), ("x0",)), ("WHY", ("a0",), ()),
                                    ("SIMILARITY", (), ("x0",)), ("SIMILARITY", ("x0",), ())]:
            for bad in ("", "i" * 513):
                with self.subTest(name=name, bad=len(bad)):
                    self.assertRegex(self.error(name, "shop", *before, bad, *after),
                                     f"^ERR (user|item) id must be 1 to 512 bytes long, "
                                     f"got {len(bad)}$")

    def test_all_read_one_key_and_write_nothing(self):
        for name, *args in VALID:
            command = "RECO." + name
            with self.subTest(name=name):
                self.assertEqual([b"shop"], self.connection.cmd("COMMAND", "GETKEYS", command,
                                                                "shop", *args))
                row = self.connection.cmd("COMMAND", "INFO", command)[0]
                self.assertIn("readonly", row[2])
                self.assertIn("@read", row[6])
                self.assertIn("@reco", row[6])


@reco_only
class WithoutModel(reco_e2e.ServerTest):
    def test_what_needs_vectors_is_empty(self):
        client = self.client(protocol=3)
        client.cmd("RECO.MADD", "shop", "ann", "lamp", 1, "bob", "lamp", 1, "bob", "desk", 1)
        for words, expected in [
                (("SIMUSERS", "ann"), []), (("SURPRISING", "ann"), []), (("REPRESENTATIVE",), []),
                (("SIMILARITY", "lamp", "desk"), [None]),
                (("SESSIONSCORE", "lamp", 1, "desk"), None),
                (("SESSIONEXPLAIN", "lamp", 1, "desk"), None), (("EXPLAIN", "bob", "lamp"), None),
                (("MTOPK", 1, "ann", "WITHSOURCE"), [[b"desk", b"popular"]]),
                (("MTOPK", 2, "ann", "bob"), [])]:
            with self.subTest(words=words):
                self.assertEqual(expected, client.cmd("RECO." + words[0], "shop", *words[1:]))


if __name__ == "__main__":
    unittest.main()
