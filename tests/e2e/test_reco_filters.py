"""FILTER and WITHATTRS on every list."""
import json
import unittest

import reco_e2e
from reco_e2e import reco_only
from test_reco_rankings import GROUP, SYNTAX, RankingTest, trained

ITEM_LISTS = [("TOPK", "a0", "WITHSEEN"), ("TOPK", "nobody"),
              ("MTOPK", 2, "a0", "b0", "WITHSEEN"), ("SESSION", 2, "x1", "y2"),
              ("SESSION", 1, "unknown"), ("SIMILAR", 1, "x1"), ("SURPRISING", "a0"),
              ("SIMILAR", 1, "x1", "BY", "COOCCURRENCE"), ("POPULAR",), ("POPULAR", "WINDOW", 600),
              ("TRENDING",), ("LATEST",)]
USER_LISTS = [("SIMUSERS", "a0"), ("ACTIVEUSERS",)]
GENRES = ("noir", "drama", "space opera")
FIRST_ID = 123456789012345678  # doubles are 16 apart here
FILTER_BYTES_MAX = 4096
BAD = [(".year > 1990 and )", 18, "expected a value at byte 18: .year > 1990 and ^)"),
       (".year 1990", 7, "expected an operator at byte 7: .year ^1990"),
       (".a = 1", 4, "unknown sign (equality is ==) at byte 4: .a ^= 1"),
       ("year > 1", 1, "unknown word (a field begins with a dot, a string with a quote) "
                       "at byte 1: ^year > 1"),
       ("(.a == 1", 1, "unclosed '(' at byte 1: ^(.a == 1"),
       (".a in [1 2]", 10, "expected ',' or ']' at byte 10: .a in [1 ^2]"),
       (".[a]", 3, "expected the name of a field in quotes at byte 3: .[^a]"),
       (".['a b'", 2, "unclosed '[' at byte 2: .^['a b'"),
       ("'abc", 1, "unclosed string at byte 1: ^'abc"),
       (b".a == \xff\x00\r\n", 7, "unknown sign at byte 7: .a == ^\\xff\\x00\\x0d\\x0a"),
       (b"\r\n+OK\r\n", 4, "unknown word (a field begins with a dot, a string with a quote) "
                              "at byte 4: \\x0d\\x0a+^OK\\x0d\\x0a")]


def attributes(item):
    """The attributes of an item, or None: x2 and y5 have none at all."""
    taste, number = item[0], int(item[1:])
    if item in ("x2", "y5"):
        return None
    record = {"n": number, "taste": taste, "genre": GENRES[number % 3],
              "tags": [taste, number, GENRES[number % 2]], "id": FIRST_ID + number,
              "released": f"2024-{number + 1:02}-15", "unit price": 1.5 * number}
    if number % 4 == 0:
        record["rare"] = number % 8 == 0
    return record


NAMES = [f"{taste}{i}" for taste in "xy" for i in range(GROUP)]
RECORDS = {name.encode(): attributes(name) for name in NAMES}
# An expression and what it means of a record.
MEANINGS = [
    (".n > 4", lambda r: r["n"] > 4),
    (".n >= 2 and .n < 9", lambda r: 2 <= r["n"] < 9),
    (".taste == 'x' or .genre == \"noir\"", lambda r: r["taste"] == "x" or r["genre"] == "noir"),
    ('.genre in ["noir","drama"]', lambda r: r["genre"] in ("noir", "drama")),
    ("not (.genre in ['noir', 'drama'])", lambda r: r["genre"] not in ("noir", "drama")),
    ('"noir" in .tags', lambda r: "noir" in r["tags"]),
    ("3 in .tags", lambda r: 3 in r["tags"]),
    ("'opera' in .genre", lambda r: "opera" in r["genre"]),
    ("(.n * 2 + 1) % 3 == 0", lambda r: (r["n"] * 2 + 1) % 3 == 0),
    (".n ** 2 >= 36", lambda r: r["n"] ** 2 >= 36),
    (".rare", lambda r: r.get("rare", False)),
    (".rare == false", lambda r: "rare" in r and not r["rare"]),
    ("not .rare", lambda r: "rare" in r and not r["rare"]),
    (".rare == 1 or .n == 1", lambda r: "rare" in r and r["rare"]),
    (".n == 7", lambda r: r["n"] == 7),
    (".none == 1", lambda r: False),
    (f".id == {FIRST_ID + 3}", lambda r: r["n"] == 3),
    (f".id != {FIRST_ID + 3}", lambda r: r["n"] != 3),
    (f".id >= {FIRST_ID + 3} and .id < {FIRST_ID + 6}", lambda r: 3 <= r["n"] < 6),
    (f".id > {FIRST_ID + 3} and .id <= {FIRST_ID + 6}", lambda r: 3 < r["n"] <= 6),
    (f".id in [{FIRST_ID + 1}, {FIRST_ID + 6}]", lambda r: r["n"] in (1, 6)),
    (f".id == {FIRST_ID + 2}.0", lambda r: r["n"] == 2),  # a double itself
    (f".id == {FIRST_ID + 3}.0", lambda r: r["n"] == 2),  # rounded to the same
    (".released >= '2024-03-01' and .released < \"2024-06\"", lambda r: 2 <= r["n"] < 5),
    (".released < 3 or .released >= 3", lambda r: False),
    ('.["unit price"] >= 6', lambda r: r["n"] >= 4),
    (".['unit price'] * 2 == .n * 3", lambda r: True),
    (".[ 'n' ] == 7 or .['no such']", lambda r: False),
    (".n == '7'", lambda r: False),
    (".n != '7'", lambda r: True),
    (".n < '7' or .n >= '7'", lambda r: False),
    (".n in ['7', 3]", lambda r: r["n"] == 3),
    ("'3' in .tags", lambda r: False),
    (".taste == 0", lambda r: False),
    (".taste != 0", lambda r: True),
    (".taste + 0 == 0", lambda r: True),
    ("1 == 1", lambda r: True),
    (".n == 1" + " " * (FILTER_BYTES_MAX - 7), lambda r: r["n"] == 1),
]


def set_records(client):
    for name in NAMES:
        if attributes(name) is not None:
            client.cmd("RECO.ITEM", "SET", "shop", name, "ATTRS", json.dumps(attributes(name)))
    for i in range(GROUP):
        client.cmd("RECO.USER", "SET", "shop", f"a{i}", "ATTRS", json.dumps({"age": 20 + i}))


class FilterTest(RankingTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.server.client() as client:
            set_records(client)

    def reco(self, name, *args):
        return self.connection.cmd("RECO." + name, "shop", *args)

    def error(self, name, *args):
        return self.connection.error("RECO." + name, "shop", *args)


@reco_only
class Meaning(FilterTest):
    def test_every_list_keeps_what_matches_in_its_order(self):
        for words in ITEM_LISTS:
            whole = self.reco(*words, "COUNT", 100)
            self.assertGreater(len(whole), 5)
            for expression, holds in MEANINGS:
                expected = [item for item in whole if RECORDS[item] and holds(RECORDS[item])]
                for _ in range(3):  # the second use makes a bitmap
                    with self.subTest(words=words, expression=expression[:40]):
                        self.assertEqual(expected, self.reco(*words, "COUNT", 100,
                                                             "FILTER", expression))

    def test_the_answer_has_count_items_whenever_so_many_match(self):
        for words in ITEM_LISTS:
            with self.subTest(words=words):
                self.assertEqual(3, len(self.reco(*words, "FILTER", ".n > 2", "COUNT", 3)))

    def test_pages_are_pieces_of_the_whole(self):
        for words in ITEM_LISTS:
            whole = self.reco(*words, "FILTER", ".n != 3", "DIVERSITY", "0.5", "COUNT", 100)
            pages = []
            for offset in range(0, len(whole) + 4, 4):
                pages += self.reco(*words, "FILTER", ".n != 3", "DIVERSITY", "0.5", "COUNT", 4,
                                   "OFFSET", offset)
            with self.subTest(words=words):
                self.assertEqual(whole, pages)

    def test_goes_with_include_exclude_and_scores(self):
        whole = self.resp3.cmd("RECO.TOPK", "shop", "a0", "WITHSEEN", "WITHSCORES", "COUNT", 100)
        expected = [row for row in whole if row[0] in (b"x3", b"x6")]
        self.assertEqual(expected, self.resp3.cmd(
            "RECO.TOPK", "shop", "a0", "WITHSEEN", "WITHSCORES", "FILTER", ".n > 2",
            "INCLUDE", 4, "x1", "x3", "x6", "x7", "EXCLUDE", 1, "x7"))

    def test_lists_of_users_filter_by_the_attributes_of_users(self):
        for words in USER_LISTS:
            whole = self.reco(*words, "COUNT", 100)
            expected = [user for user in whole if user[:1] == b"a" and int(user[1:]) > 5]
            with self.subTest(words=words):
                self.assertEqual(6, len(expected))
                self.assertEqual(expected, self.reco(*words, "COUNT", 100, "FILTER", ".age > 25"))
                self.assertEqual(expected[1:3], self.reco(*words, "COUNT", 2, "OFFSET", 1,
                                                          "FILTER", ".age > 25"))
                self.assertEqual([], self.reco(*words, "FILTER", ".n > 0"))

    def test_withattrs_shows_what_was_set_and_null_where_nothing_was(self):
        flat = self.reco("POPULAR", "WITHATTRS", "COUNT", 100)
        self.assertEqual({item: record and json.dumps(record).encode()
                          for item, record in RECORDS.items()}, dict(zip(flat[::2], flat[1::2])))
        self.assertEqual([[b"a7", b'{"age": 27}']], self.resp3.cmd(
            "RECO.SIMUSERS", "shop", "a0", "FILTER", ".age == 27", "WITHATTRS"))


@reco_only
class BadFilters(FilterTest):
    def test_the_error_names_the_byte_and_puts_a_caret_before_it(self):
        for words in ITEM_LISTS + USER_LISTS:
            for expression, byte, message in BAD:
                with self.subTest(words=words, expression=expression):
                    error = self.error(*words, "FILTER", expression)
                    self.assertIn("ERR filter: " + message, error)
                    self.assertIn(f" at byte {byte}: ", error)
                    self.assertEqual(1, error.count("^"))

    def test_a_rule_refuses_the_same(self):
        for expression, _, message in BAD:
            with self.subTest(expression=expression):
                self.assertIn("ERR filter: " + message, self.connection.error(
                    "RECO.RULE", "shop", "SET", "r", "FILTER", expression, "BURY"))
        self.assertEqual([], self.connection.cmd("RECO.RULE", "shop", "LIST"))

    def test_the_text_about_a_late_error_is_cut(self):
        error = self.error("TOPK", "a0", "FILTER", ".n == 1 and " * 100 + ")" + " or .n" * 100)
        self.assertIn(" at byte 1201: ...", error)
        self.assertTrue(error.endswith("..."))
        self.assertLess(len(error), 150)

    def test_bounds(self):
        for expression, message in [
                (".n == 1" + " " * (FILTER_BYTES_MAX - 6), "filter: 4097 bytes, at most 4096"),
                ("x" * 1000000, "filter: 1000000 bytes, at most 4096"),
                ("1+" * 512 + "1", "more than 1024 tokens"),
                ("(" * 65 + "1" + ")" * 65, "nested more than 64 deep"),
                ("not " * 65 + "1", "nested more than 64 deep"),
                (" + ".join(f".f{i}" for i in range(65)), "more than 64 fields")]:
            for words in ITEM_LISTS + USER_LISTS:
                with self.subTest(words=words, message=message):
                    self.assertIn(message, self.error(*words, "FILTER", expression))

    def test_within_the_bounds_is_taken(self):
        for expression in ("(" * 64 + "1" + ")" * 64, "not " * 64 + "1", "1+" * 511 + "1",
                           " + ".join(f".f{i}" for i in range(64)), "2**" * 60 + "0"):
            with self.subTest(expression=expression[:20]):
                self.assertIsInstance(self.reco("POPULAR", "FILTER", expression), list)

    def test_words_of_the_option(self):
        for words in ITEM_LISTS + USER_LISTS:
            for options in (("FILTER",), ("FILTER", ".n", "FILTER", ".n"),
                            ("FILTER", ".n", ">", 1), ("filter", ".n", "Filter", "1")):
                with self.subTest(words=words, options=options):
                    self.assertEqual(SYNTAX, self.error(*words, *options))

    def test_other_bytes_never_break_the_protocol(self):
        hostile = [bytes([byte]) for byte in range(256)] + [b"\r\n", b"$5\r\n", b"\xed\xa0\x80"]
        frames = [b".n == 1 %s", b".genre == '%s'", b'"%s" in .tags', b"%s", b".%s == 1"]
        commands = [("RECO.POPULAR", "shop", "FILTER", frame.replace(b"%s", word))
                    for frame in frames for word in hostile]
        for command, answer in zip(commands, self.connection.pipeline(commands)):
            if isinstance(answer, reco_e2e.RespError):
                self.assertRegex(answer.message, r"\AERR filter: [ -~]*\Z", command)
            else:
                self.assertIsInstance(answer, list, command)
        self.assertEqual("PONG", self.connection.cmd("PING"))


@reco_only
class Freshness(reco_e2e.ServerTest):
    def setUp(self):
        super().setUp()
        self.connection = self.client()
        trained(self.connection)
        set_records(self.connection)

    def lists(self, expression):
        """The set of items that every list offers under `expression`."""
        answers = self.client().pipeline(
            [("RECO." + name, "shop", *args, "COUNT", 100, "FILTER", expression)
             for name, *args in ITEM_LISTS if name != "SURPRISING" and "COOCCURRENCE" not in args])
        return [set(answer) for answer in answers]

    def assert_lists(self, expected, expression):
        for _ in range(2):
            answers = self.lists(expression)
            self.assertEqual([expected] * len(answers), answers, expression)

    def test_follows_every_change_of_a_record_at_once(self):
        item = ("RECO.ITEM", "SET", "shop")
        self.assert_lists({b"x7", b"y7"}, ".n == 7")
        for words, expected in [
                ((*item, "x3", "ATTRS", '{"n":7}'), {b"x3", b"x7", b"y7"}),
                ((*item, "x7", "ATTRS", '{"n":8}'), {b"x3", b"y7"}),
                ((*item, "y7", "ATTRS", '{"m":7}'), {b"x3"}),
                ((*item, "x2", "ATTRS", '{"n":7}'), {b"x2", b"x3"}),
                ((*item, "x3", "HIDDEN", 1), {b"x2"}),
                ((*item, "x3", "HIDDEN", 0), {b"x2", b"x3"}),
                ((*item, "x2", "EXPIREAT", 1), {b"x3"}),
                (("RECO.ITEM", "DEL", "shop", "x3"), set()),
                ((*item, "y9", "ATTRS", '{"n":"7"}'), set()),
                ((*item, "y9", "ATTRS", '{"n":7.0}'), {b"y9"})]:
            with self.subTest(words=words):
                self.connection.cmd(*words)
                self.assert_lists(expected, ".n == 7")

    def test_follows_changes_of_users_at_once(self):
        for words, expected in [
                (("SET", "shop", "a3", "ATTRS", '{"age":99}'), [b"a3"]),
                (("SET", "shop", "b3", "ATTRS", '{"age":99}'), [b"a3", b"b3"]),
                (("SET", "shop", "a3", "ATTRS", '{"age":9}'), [b"b3"]),
                (("DEL", "shop", "b3"), [])]:
            self.connection.cmd("RECO.USER", *words)
            for name, *args in USER_LISTS:
                for _ in range(2):
                    self.assertEqual(expected, sorted(self.connection.cmd(
                        "RECO." + name, "shop", *args, "FILTER", ".age == 99")))

    def test_holds_after_a_kill_and_after_a_training(self):
        commands = [("RECO." + name, "shop", *args, "COUNT", 100, "FILTER", expression,
                     "WITHATTRS") for name, *args in ITEM_LISTS for expression, _ in MEANINGS]
        before = self.connection.pipeline(commands)
        self.server.kill9()
        self.server.start()
        client = self.client()
        self.assertEqual(before, client.pipeline(commands))
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        for command, old, new in zip(commands, before, client.pipeline(commands)):
            self.assertEqual(set(old), set(new), command)

    def test_more_filters_than_are_kept_stay_right(self):
        for _ in range(2):
            for n in range(200):
                answer = self.connection.cmd("RECO.POPULAR", "shop", "FILTER", f".n == {n}")
                self.assertEqual({name for name, record in RECORDS.items()
                                  if record and record["n"] == n}, set(answer))

    def test_more_fields_than_are_kept_stay_right(self):
        record = {f"f{i}": i for i in range(300)}
        self.connection.cmd("RECO.ITEM", "SET", "shop", "x1", "ATTRS", json.dumps(record))
        for _ in range(2):
            for i in range(300):
                self.assertEqual([b"x1"], self.connection.cmd("RECO.POPULAR", "shop", "FILTER",
                                                              f".f{i} == {i}"))


if __name__ == "__main__":
    unittest.main()
