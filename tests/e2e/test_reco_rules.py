"""RECO.RULE: merchandising rules on every list of items."""
import json
import math
import random
import threading
import time
import unittest

import reco_e2e
from reco_e2e import RespError, as_map, reco_only
from test_reco_filters import RECORDS, set_records
from test_reco_rankings import NOT_FLOAT, NOT_INTEGER, SYNTAX, trained

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
ONE_ACTION = "ERR a rule needs one of BOOST factor, BURY and PIN position"
RULES_MAX = 64
TIME_MAX = 253402300799999
# Lists of items that rules change; SURPRISING shows what is, so they do not apply there.
LISTS = [("TOPK", "a0", "WITHSEEN"), ("TOPK", "a0"), ("TOPK", "nobody"),
         ("TOPK", "nobody", "CONTEXT", 1, "y3"), ("MTOPK", 2, "a0", "b0", "WITHSEEN"),
         ("MTOPK", 1, "nobody"), ("SESSION", 2, "x1", "y2"), ("SESSION", 1, "unknown"),
         ("SIMILAR", 1, "x1"), ("SIMILAR", 1, "x1", "BY", "COOCCURRENCE"), ("POPULAR",),
         ("POPULAR", "BY", "WEIGHT"), ("POPULAR", "WINDOW", 600), ("LATEST",)]
# A filter and what it means of a record.
FILTERS = [(".n == 7", lambda r: r["n"] == 7), (".n > 5", lambda r: r["n"] > 5),
           (".taste == 'y'", lambda r: r["taste"] == "y"),
           (".genre == 'noir'", lambda r: r["genre"] == "noir"),
           (".rare", lambda r: r.get("rare", False)), (".none", lambda r: False),
           ("1", lambda r: True)]
MEANING = dict(FILTERS)


def now_ms():
    return int(time.time() * 1000)


def matches(expression, item):
    return RECORDS[item] is not None and MEANING[expression](RECORDS[item])


def ruled(rows, rules, least=-math.inf):
    """What `rules`, (name, expression, action, value), and MINSCORE `least` make of the
    (item, score) `rows`."""
    boosted = []
    for item, score in rows:
        factors = [value for _, expression, action, value in rules
                   if action == "BOOST" and matches(expression, item)]
        if 0 not in factors:
            for factor in factors:
                score = score * factor if score >= 0 else score / factor
            boosted.append((item, score))
    boosted.sort(key=lambda row: (-row[1], row[0]))
    pins = []
    for _, expression, action, place in sorted(
            sorted(rules, reverse=True), key=lambda rule: rule[3]):
        free = [row for row in boosted if row not in [pin for _, pin in pins]]
        found = [row for row in free if action == "PIN" and matches(expression, row[0])]
        pins += [(place - 1, found[0])] if found else []
    left = [row for row in boosted if row not in [pin for _, pin in pins] and row[1] >= least]
    buried = [row for row in left if any(action == "BURY" and matches(expression, row[0])
                                         for _, expression, action, _ in rules)]
    answer = [row for row in left if row not in buried] + buried
    for place, row in pins:
        answer.insert(place, row)
    return answer


class RuleTest(reco_e2e.ServerTest):
    """One trained shop for the class; every test starts without rules."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.server.client() as client:
            cls.fill(client)

    @classmethod
    def fill(cls, client):
        trained(client)
        set_records(client)

    def setUp(self):
        self.connection = self.client()
        self.resp3 = self.client(protocol=3)
        for name in self.names():
            self.cmd("RULE", "shop", "DEL", name)

    def cmd(self, name, *args):
        return self.connection.cmd("RECO." + name, *args)

    def reco(self, name, *args):
        return self.cmd(name, "shop", *args)

    def rows(self, words, *options):
        return [tuple(row) for row in self.resp3.cmd("RECO." + words[0], "shop", *words[1:],
                                                     "WITHSCORES", "COUNT", 100, *options)]

    def rule(self, name, expression, *words):
        return self.cmd("RULE", "shop", "SET", name, "FILTER", expression, *words)

    def names(self):
        return [as_map(rule)["name"] for rule in self.cmd("RULE", "shop", "LIST")]

    def error(self, *args):
        return self.connection.error("RECO.RULE", *args)


@reco_only
class Commands(RuleTest):
    def test_set_answers_whether_the_rule_is_new_and_del_whether_it_was(self):
        for client, yes, no in ((self.connection, 1, 0), (self.resp3, True, False)):
            rule = ("RECO.RULE", "shop", "SET", "one", "FILTER", ".n == 1", "BURY")
            self.assertIs(yes, client.cmd(*rule))
            self.assertIs(no, client.cmd(*rule))
            self.assertIs(yes, client.cmd("RECO.RULE", "shop", "DEL", "one"))
            self.assertIs(no, client.cmd("RECO.RULE", "shop", "DEL", "one"))

    def test_list_shows_every_rule_by_name(self):
        self.rule("b", ".n == 1", "boost", "2.5", "from", 5, "until", TIME_MAX)
        self.rule("c", " .n == 2 ", "BURY")
        self.cmd("RULE", "shop", "SET", "a", "UNTIL", 7, "PIN", 3, "FILTER", ".n == 3")
        expected = [
            {"name": b"a", "filter": b".n == 3", "action": b"pin", "value": 3.0, "from-ms": 0,
             "until-ms": 7},
            {"name": b"b", "filter": b".n == 1", "action": b"boost", "value": 2.5, "from-ms": 5,
             "until-ms": TIME_MAX},
            {"name": b"c", "filter": b" .n == 2 ", "action": b"bury", "value": None, "from-ms": 0,
             "until-ms": 0}]
        self.assertEqual(expected, [as_map(rule) for rule in
                                    self.resp3.cmd("RECO.RULE", "shop", "LIST")])
        flat = [as_map(rule) for rule in self.cmd("RULE", "shop", "LIST")]
        self.assertEqual([b"3", b"2.5", None], [rule["value"] for rule in flat])
        self.assertEqual([list(rule) for rule in expected], [list(rule) for rule in flat])

    def test_set_replaces_the_whole_rule(self):
        self.rule("one", ".n == 1", "BOOST", 2, "FROM", 5, "UNTIL", 9)
        self.rule("one", ".n == 2", "BURY")
        (rule,) = [as_map(rule) for rule in self.cmd("RULE", "shop", "LIST")]
        self.assertEqual([b".n == 2", b"bury", None, 0, 0],
                         [rule[name] for name in ("filter", "action", "value", "from-ms",
                                                  "until-ms")])

    def test_a_missing_collection_has_no_rules_and_is_not_created(self):
        self.assertEqual([], self.cmd("RULE", "none", "LIST"))
        self.assertEqual(0, self.cmd("RULE", "none", "DEL", "one"))
        self.assertIn("ERR no such collection 'none'",
                      self.error("none", "SET", "one", "FILTER", "1", "BURY"))
        self.assertEqual(0, self.connection.cmd("EXISTS", "none"))

    def test_a_string_is_not_a_collection(self):
        self.connection.cmd("SET", "text", "one")
        for args in (("text", "SET", "one", "FILTER", "1", "BURY"), ("text", "LIST"),
                     ("text", "DEL", "one")):
            self.assertEqual(WRONG_TYPE, self.error(*args))

    def test_arity_and_verbs(self):
        for args in (("shop", "SET"), ("shop", "LIST", "one"), ("shop", "DEL"),
                     ("shop", "DEL", "one", "two"), ("shop", "MOVE"), ("shop", "SET", "one", "x")):
            with self.subTest(args=args):
                self.assertEqual("ERR syntax error", self.error(*args))
        for args in ((), ("shop",)):
            self.assertEqual("ERR wrong number of arguments for 'reco.rule' command",
                             self.error(*args))

    def test_errors(self):
        factor = "ERR BOOST must be between 0 and 1000"
        place = "ERR PIN must be between 1 and 10000"
        times = f"and {TIME_MAX}"
        good = ("FILTER", ".n == 1")
        for words, message in [
                ((*good, "BURY", "PIN", 1), ONE_ACTION), ((*good, "BURY", "BOOST", 1), ONE_ACTION),
                ((*good, "BOOST", 2, "PIN", 1), ONE_ACTION),
                ((*good, "FROM", 1, "UNTIL", 2), ONE_ACTION),
                (("BURY", "FROM", 1), "ERR a rule needs FILTER expression"),
                ((*good, "BURY", "BURY"), SYNTAX), ((*good, "BOOST", 1, "boost", 1), SYNTAX),
                ((*good, *good, "BURY"), SYNTAX), ((*good, "BURY", "FROM"), SYNTAX),
                ((*good, "PIN", 1, "FROM", 1, "FROM", 1), SYNTAX), ((*good, "BURY", 1), SYNTAX),
                ((*good, "BURY", "COUNT", 1), SYNTAX), (("BURY", "FROM", 1, "FILTER"), SYNTAX),
                ((*good, "BOOST", "1001"), factor), ((*good, "BOOST", "-0.1"), factor),
                ((*good, "BOOST", "nan"), NOT_FLOAT), ((*good, "BOOST", "inf"), NOT_FLOAT),
                ((*good, "BOOST", "much"), NOT_FLOAT), ((*good, "PIN", 0), place),
                ((*good, "PIN", 10001), place), ((*good, "PIN", "1.5"), NOT_INTEGER),
                ((*good, "PIN", "first"), NOT_INTEGER),
                ((*good, "BURY", "FROM", -1), f"ERR FROM must be between 0 {times}"),
                ((*good, "BURY", "FROM", TIME_MAX + 1), f"ERR FROM must be between 0 {times}"),
                ((*good, "BURY", "UNTIL", 0), f"ERR UNTIL must be between 1 {times}"),
                ((*good, "BURY", "UNTIL", "soon"), NOT_INTEGER),
                ((*good, "BURY", "FROM", 5, "UNTIL", 5), "ERR UNTIL must be later than FROM"),
                ((*good, "BURY", "FROM", 6, "UNTIL", 5), "ERR UNTIL must be later than FROM"),
                (("FILTER", ".n = 1", "BURY"),
                 "ERR filter: unknown sign (equality is ==) at byte 4: .n ^= 1"),
                (("FILTER", "1" * 4097, "BURY"), "ERR filter: 4097 bytes, at most 4096")]:
            with self.subTest(words=words):
                self.assertEqual(message, self.error("shop", "SET", "one", *words))
        self.assertEqual([], self.names())

    def test_names_have_1_to_64_bytes_of_any_kind(self):
        for name in ("", "n" * 65):
            message = f"ERR rule name must be 1 to 64 bytes long, got {len(name)}"
            self.assertEqual(message, self.error("shop", "SET", name, "FILTER", "1", "BURY"))
            self.assertEqual(message, self.error("shop", "DEL", name))
        names = sorted([b"n" * 64, b"FILTER", b"a\r\nb", b"\x00", b"\xff\xfe", b"$-1\r\n", b" ",
                        b"*1\r\n$4\r\nPING\r\n"])
        for name in names:
            self.assertEqual(1, self.rule(name, ".n == 7", "BOOST", 2))
        self.assertEqual(names, self.names())
        self.assertEqual(names, sorted(as_map(self.reco("WHY", "a0", "x7"))["rules"]))
        for name in names:
            self.assertEqual(1, self.cmd("RULE", "shop", "DEL", name))

    def test_filters_of_any_bytes_come_back_as_they_were(self):
        filters = [b".genre == 'a\xffb'", b"\r\n.n == 1\r\n", "'\u00e9' in .tags".encode(),
                   b'.["a \xff\\"b"] == 1', b".[ 'unit price' ] < 12345678901234567"]
        for name, expression in enumerate(filters):
            self.rule(name, expression, "BURY")
        self.assertEqual(filters, [as_map(rule)["filter"] for rule in
                                   self.cmd("RULE", "shop", "LIST")])

    def test_65_rules_are_too_many(self):
        for i in range(RULES_MAX):
            self.rule(f"r{i}", f".n == {i}", "BOOST", 2)
        message = self.error("shop", "SET", "more", "FILTER", "1", "BURY")
        self.assertIn("at most 64 rules", message)
        self.assertEqual(RULES_MAX, len(self.names()))
        self.assertEqual(0, self.rule("r7", ".n == 7", "BURY"))
        self.assertEqual(1, self.cmd("RULE", "shop", "DEL", "r8"))
        self.assertEqual(1, self.rule("more", "1", "BURY"))
        self.assertGreater(len(self.rows(("TOPK", "a0"))), 0)

    def test_the_command_describes_itself(self):
        for words in (("SET", "r", "FILTER", "1", "BURY"), ("LIST",), ("DEL", "r")):
            self.assertEqual([b"shop"], self.connection.cmd("COMMAND", "GETKEYS", "RECO.RULE",
                                                            "shop", *words))
        row = self.connection.cmd("COMMAND", "INFO", "reco.rule")[0]
        self.assertIn("@write", row[6])
        self.assertIn("@reco", row[6])
        docs = as_map(as_map(self.connection.cmd("COMMAND", "DOCS", "reco.rule"))["reco.rule"])
        self.assertEqual(b"reco", docs["group"])
        self.assertTrue(docs["summary"] and docs["complexity"])
        verbs = as_map(docs["arguments"][1])["arguments"]
        self.assertEqual([b"SET", b"LIST", b"DEL"], [as_map(verb)["token"] for verb in verbs])

    def test_a_user_who_may_read_may_not_set(self):
        if self.connection.cmd("COMMAND", "INFO", "acl") == [None]:
            self.skipTest("no ACL in this server")
        self.connection.cmd("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read")
        reader = self.client()
        reader.cmd("AUTH", "reader", "pw")
        self.assertTrue(reader.cmd("RECO.TOPK", "shop", "a0"))
        self.assertEqual([], reader.cmd("RECO.RULE", "shop", "LIST"))
        for args in (("shop", "SET", "r", "FILTER", "1", "BURY"), ("shop", "DEL", "r")):
            self.assertTrue(reader.error("RECO.RULE", *args).startswith("NOPERM"))

    def test_in_a_transaction(self):
        if self.connection.cmd("COMMAND", "INFO", "multi") == [None]:
            self.skipTest("no MULTI in this server")
        self.connection.cmd("MULTI")
        self.assertEqual("QUEUED", self.rule("r", ".n == 7", "PIN", 1))
        self.assertEqual("QUEUED", self.reco("TOPK", "a0", "WITHSEEN", "COUNT", 1))
        self.assertEqual([1, [b"x7"]], self.connection.cmd("EXEC"))


@reco_only
class Effect(RuleTest):
    def test_each_action_is_effective_at_once_on_every_list_and_gone_with_the_rule(self):
        plain = [self.rows(words) for words in LISTS]
        for expression, _ in FILTERS:
            for action, value, words in (
                    ("BOOST", 4, ("BOOST", 4)), ("BOOST", 0.5, ("BOOST", "0.5")),
                    ("BOOST", 0, ("BOOST", 0)), ("BURY", 1, ("BURY",)), ("PIN", 1, ("PIN", 1)),
                    ("PIN", 3, ("PIN", 3)), ("PIN", 10000, ("PIN", 10000))):
                self.rule("r", expression, *words)
                for rows, query in zip(plain, LISTS):
                    with self.subTest(query=query, expression=expression, words=words):
                        self.assertEqual(ruled(rows, [("r", expression, action, value)]),
                                         self.rows(query))
        self.cmd("RULE", "shop", "DEL", "r")
        self.assertEqual(plain, [self.rows(words) for words in LISTS])

    def random_rules(self, draw):
        rules = []
        for i in range(draw.randint(2, 6)):
            action, value = draw.choice([("BOOST", 0), ("BOOST", 0.25), ("BOOST", 2), ("BOOST", 8),
                                         ("BURY", 1), ("PIN", 1), ("PIN", 2), ("PIN", 5)])
            rules.append((f"r{i}", draw.choice(FILTERS)[0], action, value))
            self.rule(f"r{i}", rules[-1][1], action, *([] if action == "BURY" else [value]))
        return rules

    def test_rules_work_together(self):
        plain = [self.rows(words) for words in LISTS]
        draw = random.Random(7)
        for _ in range(25):
            rules = self.random_rules(draw)
            for rows, query in zip(plain, LISTS):
                with self.subTest(query=query, rules=rules):
                    shown = ruled(rows, rules)
                    self.assertEqual(shown, self.rows(query))
                    if shown and query[0] != "LATEST":
                        least = draw.choice(shown)[1]
                        self.assertEqual(ruled(rows, rules, least),
                                         self.rows(query, "MINSCORE", repr(least)))
            for name, *_ in rules:
                self.cmd("RULE", "shop", "DEL", name)

    def test_pages_with_filter_and_diversity_have_no_repeats_and_no_holes(self):
        draw = random.Random(8)
        for _ in range(6):
            rules = self.random_rules(draw)
            for name, *args in LISTS + [("TRENDING",)]:
                options = (*args, "FILTER", ".n != 4", "DIVERSITY", "0.4")
                whole = self.reco(name, *options, "COUNT", 100)
                pages = []
                for offset in range(0, len(whole) + 3, 3):
                    pages += self.reco(name, *options, "COUNT", 3, "OFFSET", offset)
                with self.subTest(name=name, args=args, rules=rules):
                    self.assertEqual(whole, pages)
                    self.assertEqual(len(whole), len(set(whole)))
            for name, *_ in rules:
                self.cmd("RULE", "shop", "DEL", name)

    def test_trending_follows_rules(self):
        self.rule("out", ".taste == 'x'", "BOOST", 0)
        self.rule("first", ".n == 7", "PIN", 1)
        self.rule("last", ".n == 3", "BURY")
        answer = self.reco("TRENDING", "COUNT", 100)
        self.assertEqual((b"y7", b"y3"), (answer[0], answer[-1]))
        self.assertEqual({item for item, record in RECORDS.items()
                          if record is None or record["taste"] == "y"}, set(answer))

    def test_a_pin_offers_only_what_the_list_may_offer(self):
        self.rule("r", ".n == 7", "PIN", 1)
        self.assertEqual(b"y7", self.reco("TOPK", "a0")[0])  # x7 is seen
        self.assertEqual(b"x7", self.reco("TOPK", "a0", "WITHSEEN")[0])
        self.assertEqual(b"x7", self.reco("TOPK", "a0", "WITHSEEN", "EXCLUDE", 1, "y7")[0])
        self.assertNotIn(b"x7", self.reco("TOPK", "a0", "WITHSEEN", "FILTER", ".n != 7"))
        self.assertEqual([b"y1"], self.reco("TOPK", "a0", "INCLUDE", 1, "y1"))

    def test_what_is_known_or_of_users_is_not_ruled(self):
        queries = [("SURPRISING", "a0"), ("SIMUSERS", "a0"), ("ACTIVEUSERS",)]
        before = [self.rows(words) for words in queries]
        for name, words in (("a", ("BOOST", 0)), ("b", ("PIN", 1)), ("c", ("BURY",))):
            self.rule(name, "1", *words)
        self.assertEqual(before, [self.rows(words) for words in queries])

    def test_why_names_the_rules_and_the_ruled_rank(self):
        self.rule("down", ".n == 8", "BURY")
        self.rule("out", ".n == 7", "BOOST", 0)
        self.rule("up", ".n > 6", "BOOST", 2)
        answer = as_map(self.resp3.cmd("RECO.WHY", "shop", "nobody", "x7"))
        self.assertEqual((b"rule", None, [b"out", b"up"]),
                         (answer["state"], answer["rank"], answer["rules"]))
        for place, (item, score) in enumerate(self.rows(("TOPK", "nobody")), 1):
            answer = as_map(self.resp3.cmd("RECO.WHY", "shop", "nobody", item))
            self.assertEqual((b"ranked", place, score),
                             (answer["state"], answer["rank"], answer["score"]), item)
        answer = as_map(self.resp3.cmd("RECO.WHY", "shop", "nobody", "x8"))
        self.assertEqual([b"down", b"up"], sorted(answer["rules"]))

    def test_why_names_the_fields_that_a_rule_misses(self):
        def missing(item, answer=None):
            answer = answer or self.resp3.cmd("RECO.WHY", "shop", "nobody", item)
            return as_map(as_map(answer)["missing-fields"])

        self.assertEqual({}, missing("x7"))
        self.rule("there", ".n == 8", "BURY")
        self.rule("b", ".['shelf price'] < 5 or .n == 7", "BOOST", 2)
        self.rule("a", "not .rare and .n and .['shelf price'] and .rare", "BOOST", 0)
        self.rule("never", "1", "BOOST", 2)
        self.rule("later", ".none", "BURY", "FROM", now_ms() + 3600_000)
        price, rare = b"shelf price", b"rare"
        self.assertEqual({"a": [rare, price], "b": [price]}, missing("x7"))
        self.assertEqual(["a", "b"], list(missing("x7")))
        self.assertEqual({"a": [price], "b": [price]}, missing("x8"))
        # x2 has no attributes at all.
        self.assertEqual({"a": [rare, b"n", price], "b": [price, b"n"], "there": [b"n"]},
                         missing("x2"))
        self.assertEqual({}, missing("no such item"))
        # RESP2 has the same map flat.
        self.assertEqual([b"a", [rare, price], b"b", [price]],
                         as_map(self.reco("WHY", "nobody", "x7"))["missing-fields"])
        # Why an item is not in the list does not matter, and a change is seen at once.
        item = ("RECO.ITEM", "SET", "shop", "x7")
        self.addCleanup(self.connection.cmd, *item, "HIDDEN", 0, "ATTRS",
                        json.dumps(RECORDS[b"x7"]))
        self.connection.cmd(*item, "HIDDEN", 1)
        self.assertEqual({"a": [rare, price], "b": [price]}, missing("x7"))
        self.connection.cmd(*item, "ATTRS", '{"shelf price": {"eur": 1}, "rare": null, "n": 1}')
        self.assertEqual({"a": [price], "b": [price]}, missing("x7"))  # no value of filters
        self.connection.cmd(*item, "ATTRS", '{"shelf price": null, "rare": null, "n": 1}')
        self.assertEqual({}, missing("x7"))

    def test_a_rule_holds_from_and_until(self):
        hour = 3600_000
        for words, in_force in (
                (("FROM", now_ms() - hour), True), (("FROM", now_ms() + hour), False),
                (("UNTIL", now_ms() + hour), True), (("UNTIL", now_ms() - hour), False),
                (("FROM", now_ms() - hour, "UNTIL", now_ms() + hour), True),
                (("FROM", now_ms() + hour, "UNTIL", now_ms() + 2 * hour), False)):
            self.rule("r", ".n == 7", "BOOST", 0, *words)
            for query in LISTS:
                with self.subTest(words=words, query=query):
                    left = {b"x7", b"y7"} & {item for item, _ in self.rows(query)}
                    self.assertEqual(in_force, not left)
            self.assertEqual([b"r"] if in_force else [],
                             as_map(self.reco("WHY", "a0", "x7"))["rules"])

    def test_a_rule_begins_and_ends_by_itself(self):
        first = ("POPULAR", "COUNT", 1)
        self.rule("r", ".n == 7", "PIN", 1, "FROM", now_ms() + 200)
        reco_e2e.eventually(lambda: self.reco(*first) == [b"x7"])
        self.rule("r", ".n == 7", "PIN", 1, "UNTIL", now_ms() + 200)
        reco_e2e.eventually(lambda: self.reco(*first) == [b"x0"])


@reco_only
class Ratings(RuleTest):
    """The same of a collection that predicts ratings."""

    @classmethod
    def fill(cls, client):
        client.cmd("RECO.CREATE", "shop", "FEEDBACK", "EXPLICIT", "DIM", 8)
        draw = random.Random(10)
        client.cmd("RECO.MADD", "shop", *[word for user in range(12) for item in sorted(RECORDS)
                                          if draw.random() < 0.7
                                          for word in (f"u{user}", item, draw.randint(1, 5))])
        set_records(client)
        client.cmd("RECO.RETRAIN", "shop", "SYNC")

    def test_each_action_is_effective_at_once(self):
        queries = [("TOPK", "u0", "WITHSEEN"), ("TOPK", "nobody"), ("MTOPK", 2, "u0", "u1"),
                   ("SESSION", 1, "x1", "WEIGHTS", 5), ("SIMILAR", 1, "x1")]
        plain = [self.rows(words) for words in queries]
        for action, value, words in (("BOOST", 2, ("BOOST", 2)), ("BOOST", 0, ("BOOST", 0)),
                                     ("BURY", 1, ("BURY",)), ("PIN", 2, ("PIN", 2))):
            self.rule("r", ".n > 5", *words)
            for rows, query in zip(plain, queries):
                with self.subTest(query=query, words=words):
                    self.assertEqual(ruled(rows, [("r", ".n > 5", action, value)]),
                                     self.rows(query))


@reco_only
class Lifetime(RuleTest):
    def setUp(self):
        with self.client() as client:
            client.cmd("FLUSHALL")
            self.fill(client)
        super().setUp()

    def some_rules(self):
        self.rule("out", ".taste == 'x'", "BOOST", 0)
        self.rule("first\r\n\xff", ".n == 7", "PIN", 2, "FROM", 1, "UNTIL", TIME_MAX)
        self.rule("last", ".rare", "BURY")
        self.rule("gone", "1", "BURY")
        self.cmd("RULE", "shop", "DEL", "gone")

    def test_rules_survive_a_kill_and_a_stop(self):
        self.some_rules()
        commands = [("RECO." + name, "shop", *args, "WITHSCORES") for name, *args in LISTS]
        commands.append(("RECO.RULE", "shop", "LIST"))
        before = self.connection.pipeline(commands)
        self.server.kill9()
        self.server.start()
        self.assertEqual(before, self.client().pipeline(commands))
        self.server.restart()
        self.assertEqual(before, self.client().pipeline(commands))

    def test_rules_go_with_the_collection(self):
        self.some_rules()
        rules = self.cmd("RULE", "shop", "LIST")
        self.connection.cmd("RENAME", "shop", "store")
        self.assertEqual(rules, self.cmd("RULE", "store", "LIST"))
        self.assertEqual([], self.cmd("RULE", "shop", "LIST"))
        self.connection.cmd("DEL", "store")
        self.cmd("ADD", "store", "ann", "lamp")
        self.assertEqual([], self.cmd("RULE", "store", "LIST"))

    def test_a_rule_changes_no_time_to_live_and_no_other_database(self):
        self.connection.cmd("EXPIRE", "shop", 1000)
        self.some_rules()
        self.assertIn(self.connection.cmd("TTL", "shop"), range(900, 1001))
        self.assertEqual([], self.client(db=1).cmd("RECO.RULE", "shop", "LIST"))

    def test_rules_survive_a_training(self):
        self.some_rules()
        rules = self.cmd("RULE", "shop", "LIST")
        self.connection.cmd("RECO.RETRAIN", "shop", "SYNC")
        self.assertEqual(rules, self.cmd("RULE", "shop", "LIST"))
        self.assertEqual(b"y7", self.reco("TOPK", "nobody")[1])

    def test_rules_follow_the_records(self):
        self.rule("r", ".n == 7", "BOOST", 0)
        for words, expected in [
                (("SET", "shop", "x3", "ATTRS", '{"n":7}'), {b"x3", b"x7", b"y7"}),
                (("SET", "shop", "y7", "ATTRS", '{"n":6}'), {b"x3", b"x7"}),
                (("SET", "shop", "x2", "ATTRS", '{"n":7}'), {b"x2", b"x3", b"x7"}),
                (("DEL", "shop", "x3"), {b"x2", b"x3", b"x7"})]:
            self.cmd("ITEM", *words)
            for query in (("TOPK", "a0", "WITHSEEN"), ("TOPK", "nobody"), ("POPULAR",), ("LATEST",),
                          ("MTOPK", 2, "a0", "b0", "WITHSEEN"), ("SESSION", 1, "unknown")):
                with self.subTest(words=words, query=query):
                    self.assertEqual(set(RECORDS) - expected,
                                     {item for item, _ in self.rows(query)})

    def test_lists_are_whole_while_rules_change(self):
        stop = threading.Event()
        failures = []

        def write():
            draw = random.Random(9)
            with self.server.client() as client:
                while not stop.is_set():
                    client.cmd("RECO.RULE", "shop", "SET", f"r{draw.randrange(5)}", "FILTER",
                               draw.choice(FILTERS)[0], "PIN", draw.randint(1, 9))
                    client.cmd("RECO.RULE", "shop", "DEL", f"r{draw.randrange(5)}")

        def read():
            with self.server.client() as client:
                for _ in range(40):
                    for answer in client.pipeline([("RECO." + name, "shop", *args, "COUNT", 100)
                                                   for name, *args in LISTS if "a0" not in args]):
                        if isinstance(answer, RespError) or len(set(answer)) != len(answer):
                            failures.append(answer)

        writer = threading.Thread(target=write)
        readers = [threading.Thread(target=read) for _ in range(2)]
        for thread in [writer, *readers]:
            thread.start()
        for thread in readers:
            thread.join()
        stop.set()
        writer.join()
        self.assertEqual([], failures)


if __name__ == "__main__":
    unittest.main()
