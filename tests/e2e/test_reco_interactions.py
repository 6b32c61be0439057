"""RECO.ADD, MADD, SET, REM, PREF and HISTORY."""
import time
import unittest

import reco_e2e
from reco_e2e import as_map, reco_only

NOT_INTEGER = "ERR value is not an integer or out of range"
NOT_FLOAT = "ERR value is not a valid float"
SYNTAX = "ERR syntax error"


@reco_only
class Add(reco_e2e.ServerTest):
    def test_numbers_ascend_and_weights_add_up(self):
        client = self.client()
        self.assertEqual(1, client.cmd("RECO.ADD", "shop", "ann", "lamp"))
        self.assertEqual(2, client.cmd("RECO.ADD", "shop", "ann", "lamp", "2.5"))
        self.assertEqual(3, client.cmd("RECO.ADD", "shop", "ann", "lamp", "-1"))
        self.assertEqual([b"2.5"], client.cmd("RECO.PREF", "shop", "ann", "lamp"))

    def test_collections_number_their_own_events(self):
        client = self.client()
        self.assertEqual([1, 2, 1], client.pipeline([("RECO.ADD", "a", "ann", "lamp"),
                                                     ("RECO.ADD", "a", "ann", "desk"),
                                                     ("RECO.ADD", "b", "ann", "lamp")]))
        self.assertEqual(1, self.client(db=3).cmd("RECO.ADD", "a", "ann", "lamp"))

    def test_the_weight_defaults_to_that_of_the_type(self):
        client = self.client()
        client.cmd("RECO.CREATE", "shop", "TYPE", "buy", 3)
        client.cmd("RECO.ADD", "shop", "ann", "lamp", "type", "buy")
        client.cmd("RECO.ADD", "shop", "ann", "desk", 5, "TYPE", "buy")
        client.cmd("RECO.ADD", "shop", "ann", "sofa")
        self.assertEqual([b"3", b"5", b"1"],
                         client.cmd("RECO.PREF", "shop", "ann", "lamp", "desk", "sofa"))

    def test_a_weight_reads_back_as_it_was_given(self):
        for protocol in (2, 3):
            client = self.client(protocol)
            key = f"shop{protocol}"
            for item, weight in (("a", "0.1"), ("b", "-3.3"), ("c", "1234.56"), ("d", "1e-05")):
                client.cmd("RECO.SET", key, "ann", item, weight)
            shown = client.cmd("RECO.PREF", key, "ann", "a", "b", "c", "d")
            self.assertEqual([0.1, -3.3, 1234.56, 1e-05], [float(value) for value in shown])
            self.assertEqual(0.1, float(client.cmd("RECO.AUDIENCE", key, "a", "WITHSCORES")[-1]
                                        if protocol == 2 else
                                        client.cmd("RECO.AUDIENCE", key, "a", "WITHSCORES")[0][1]))

    def test_what_cancels_is_zero(self):
        client = self.client()
        for weight in (0.3, -0.1, -0.2):
            client.cmd("RECO.ADD", "shop", "ann", "lamp", weight)
        self.assertEqual([b"0"], client.cmd("RECO.PREF", "shop", "ann", "lamp"))

    def test_a_time_ahead_is_that_of_the_arrival(self):
        client = self.client()
        client.cmd("RECO.CREATE", "shop", "HALFLIFE", 7 * 86_400)
        ahead = int(time.time() * 1000) + 400 * 86_400_000
        client.cmd("RECO.ADD", "shop", "ann", "odd", 1, "TS", ahead)
        client.cmd("RECO.SET", "shop", "ann", "odd", -3)
        self.assertEqual([b"-3"], client.cmd("RECO.PREF", "shop", "ann", "odd"))
        client.cmd("RECO.ADD", "shop", "bob", "odd", 1, "TS", ahead)
        client.cmd("RECO.ADD", "shop", "bob", "odd", 5)
        client.cmd("RECO.ADD", "shop", "bob", "odd", -6)
        # Between the events a few milliseconds pass, which a half-life notices.
        self.assertAlmostEqual(0, float(client.cmd("RECO.PREF", "shop", "bob", "odd")[0]), places=4)

    def test_a_retry_with_the_same_id_changes_nothing(self):
        client = self.client()
        self.assertEqual(1, client.cmd("RECO.ADD", "shop", "ann", "lamp", 2, "ID", "t1"))
        self.assertEqual(2, client.cmd("RECO.ADD", "shop", "ann", "desk", "ID", "t2"))
        self.assertEqual(1, client.cmd("RECO.ADD", "shop", "ann", "lamp", 2, "ID", "t1"))
        self.assertEqual([b"2"], client.cmd("RECO.PREF", "shop", "ann", "lamp"))
        self.assertEqual(2, as_map(client.cmd("RECO.INFO", "shop"))["events"])

    def test_ids_are_any_bytes_up_to_512(self):
        client = self.client()
        user, item = b"\x00\r\n\xff", b"*$" + b"i" * 510
        client.cmd("RECO.ADD", "shop", user, item)
        self.assertEqual([item], client.cmd("RECO.HISTORY", "shop", user))
        self.assertEqual([b"0", [user]], client.cmd("RECO.USER", "SCAN", "shop", 0))

    def test_options_stand_in_any_order(self):
        client = self.client()
        self.assertEqual(1, client.cmd("RECO.ADD", "shop", "ann", "lamp", "ID", "a", "TS", 5))
        self.assertEqual(2, client.cmd("RECO.ADD", "shop", "ann", "desk", 2, "ts", 6, "id", "b"))
        self.assertEqual([b"desk", b"lamp"], client.cmd("RECO.HISTORY", "shop", "ann"))


@reco_only
class AddMany(reco_e2e.ServerTest):
    def test_answers_the_last_number(self):
        client = self.client()
        self.assertEqual(3, client.cmd("RECO.MADD", "shop", "ann", "lamp", 1, "bob", "lamp", "2.5",
                                       "ann", "lamp", 1))
        self.assertEqual([b"2"], client.cmd("RECO.PREF", "shop", "ann", "lamp"))
        self.assertEqual([b"2.5"], client.cmd("RECO.PREF", "shop", "bob", "lamp"))

    def test_all_or_nothing(self):
        client = self.client()
        wrong_arity = "ERR wrong number of arguments for 'reco.madd' command"
        for extra, message in [(("bob", "desk", "nan"), NOT_FLOAT), (("bob", "desk"), wrong_arity),
                               (("bob", "desk", 1, "cid"), wrong_arity),
                               (("", "desk", 1), "ERR user id must be 1 to 512 bytes long, got 0"),
                               (("bob", "x" * 513, 1),
                                "ERR item id must be 1 to 512 bytes long, got 513")]:
            with self.subTest(extra=extra):
                self.assertEqual(message,
                                 client.error("RECO.MADD", "shop", "ann", "lamp", 1, *extra))
                self.assertEqual(0, client.cmd("EXISTS", "shop"))

    def test_at_most_10000_interactions(self):
        client = self.client()
        self.assertEqual(10000, client.cmd("RECO.MADD", "shop", *["u", "i", 1] * 10000))
        self.assertEqual("ERR a call takes at most 10000 interactions",
                         client.error("RECO.MADD", "shop", *["u", "i", 1] * 10001))
        self.assertEqual([b"10000"], client.cmd("RECO.PREF", "shop", "u", "i"))


@reco_only
class SetRemovePreference(reco_e2e.ServerTest):
    def test_set_replaces(self):
        client = self.client()
        client.cmd("RECO.ADD", "shop", "ann", "lamp", 5)
        self.assertEqual(2, client.cmd("RECO.SET", "shop", "ann", "lamp", "3.5"))
        self.assertEqual(3, client.cmd("RECO.SET", "shop", "ann", "desk", "-1", "TS", 7))
        self.assertEqual([b"3.5", b"-1"], client.cmd("RECO.PREF", "shop", "ann", "lamp", "desk"))

    def test_rem_answers_how_many_pairs_existed(self):
        client = self.client()
        client.cmd("RECO.MADD", "shop", "ann", "lamp", 1, "ann", "desk", 1, "ann", "sofa", 1)
        self.assertEqual(2, client.cmd("RECO.REM", "shop", "ann", "lamp", "no", "desk", "lamp"))
        self.assertEqual(0, client.cmd("RECO.REM", "shop", "no", "sofa"))
        self.assertEqual(0, client.cmd("RECO.REM", "no", "ann", "sofa"))
        self.assertEqual(0, client.cmd("EXISTS", "no"))
        self.assertEqual([None, None, b"1"],
                         client.cmd("RECO.PREF", "shop", "ann", "lamp", "desk", "sofa"))
        self.assertEqual([b"sofa"], client.cmd("RECO.HISTORY", "shop", "ann"))

    def test_a_removed_item_is_recommended_again(self):
        client = self.client()
        client.cmd("RECO.MADD", "shop", "ann", "lamp", 1, "bob", "lamp", 1, "bob", "desk", 1)
        self.assertEqual([b"desk"], client.cmd("RECO.TOPK", "shop", "ann"))
        client.cmd("RECO.REM", "shop", "ann", "lamp")
        self.assertIn(b"lamp", client.cmd("RECO.TOPK", "shop", "ann"))

    def test_pref_answers_a_double_or_null_for_each(self):
        client = self.client(protocol=3)
        client.cmd("RECO.ADD", "shop", "ann", "lamp", "0.1")
        (value, none) = client.cmd("RECO.PREF", "shop", "ann", "lamp", "no")
        self.assertAlmostEqual(0.1, value, places=6)
        self.assertIsNone(none)
        self.assertEqual([None], client.cmd("RECO.PREF", "shop", "no", "lamp"))
        self.assertEqual([None, None], client.cmd("RECO.PREF", "no", "ann", "lamp", "desk"))


@reco_only
class History(reco_e2e.ServerTest):
    def setUp(self):
        super().setUp()
        self.connection = self.client()
        self.connection.cmd("RECO.CREATE", "shop", "TYPE", "buy", 3)
        for item, weight, ts in (("a", 1, 1000), ("c", 2, 3000), ("b", 3, 2000), ("d", 4, 3000)):
            self.connection.cmd("RECO.ADD", "shop", "ann", item, weight, "TS", ts)

    def history(self, *options):
        return self.connection.cmd("RECO.HISTORY", "shop", "ann", *options)

    def test_newest_first_and_ties_by_id(self):
        self.assertEqual([b"c", b"d", b"b", b"a"], self.history())

    def test_pages(self):
        self.assertEqual([b"c", b"d"], self.history("COUNT", 2))
        self.assertEqual([b"b"], self.history("OFFSET", 2, "COUNT", 1))
        self.assertEqual([], self.history("OFFSET", 4))
        self.assertEqual([b"a"], self.history("OFFSET", 3, "COUNT", 10000))

    def test_since_and_until_are_inclusive(self):
        self.assertEqual([b"c", b"d", b"b"], self.history("SINCE", 2000))
        self.assertEqual([b"b", b"a"], self.history("UNTIL", 2000))
        self.assertEqual([b"b"], self.history("SINCE", 2000, "UNTIL", 2999))

    def test_type(self):
        self.connection.cmd("RECO.ADD", "shop", "ann", "e", "TYPE", "buy", "TS", 500)
        self.assertEqual([b"e"], self.history("TYPE", "buy"))

    def test_withscores_has_the_shape_of_the_protocol(self):
        self.assertEqual([b"c", b"2", b"d", b"4"], self.history("WITHSCORES", "COUNT", 2))
        self.assertEqual([[b"c", 2.0], [b"d", 4.0]], self.client(protocol=3).cmd(
            "RECO.HISTORY", "shop", "ann", "COUNT", 2, "WITHSCORES"))

    def test_asof_answers_the_past(self):
        def later():
            """A time after all writes so far and before all that follow, in ms."""
            time.sleep(0.005)
            now = int(time.time() * 1000)
            time.sleep(0.005)
            return now

        before = later()
        self.connection.cmd("RECO.SET", "shop", "ann", "c", 9, "TS", 4000)
        self.connection.cmd("RECO.REM", "shop", "ann", "a")
        between = later()
        self.connection.cmd("RECO.ADD", "shop", "ann", "e", 1, "TS", 5000)
        self.assertEqual([b"e", b"c", b"d", b"b"], self.history())
        self.assertEqual([b"c", b"9", b"d", b"4", b"b", b"3"],
                         self.history("ASOF", between, "WITHSCORES"))
        self.assertEqual([b"c", b"2", b"d", b"4", b"b", b"3", b"a", b"1"],
                         self.history("asof", before, "WITHSCORES"))
        self.assertEqual([b"d"], self.history("ASOF", before, "COUNT", 1, "OFFSET", 1))
        self.assertEqual([], self.history("ASOF", 0))

    def test_a_command_behind_asof_waits_for_it(self):
        replies = self.connection.pipeline([("RECO.HISTORY", "shop", "ann", "ASOF", 2**43),
                                            ("RECO.ADD", "shop", "ann", "e"),
                                            ("RECO.HISTORY", "shop", "ann", "COUNT", 1)])
        self.assertEqual([[b"c", b"d", b"b", b"a"], 5, [b"e"]], replies)

    def test_unknown_user_and_missing_collection_are_empty(self):
        self.assertEqual([], self.connection.cmd("RECO.HISTORY", "shop", "no"))
        self.assertEqual([], self.connection.cmd("RECO.HISTORY", "no", "ann"))
        self.assertEqual([], self.connection.cmd("RECO.HISTORY", "no", "ann", "ASOF", 1))


@reco_only
class BadInput(reco_e2e.ServerTest):
    def setUp(self):
        super().setUp()
        self.connection = self.client()
        self.connection.cmd("RECO.CREATE", "shop", "TYPE", "buy", 3)
        self.connection.cmd("RECO.ADD", "shop", "ann", "lamp", 2)

    def assert_refused(self, args, message):
        with self.subTest(args=args):
            error = self.connection.error(*args)
            self.assertEqual(message, error[:len(message)])
            info = as_map(self.connection.cmd("RECO.INFO", "shop"))
            self.assertEqual([1, 1, 1, 1], [info[name] for name in (
                "users", "items", "interactions", "events")])
            self.assertEqual([b"2"], self.connection.cmd("RECO.PREF", "shop", "ann", "lamp"))

    def test_weights(self):
        for word in ("nan", "inf", "-inf", "1e400", "0x10", " 1", "1 ", "", "abc", "1,5"):
            for command in ("RECO.ADD", "RECO.SET", "RECO.MADD"):
                self.assert_refused((command, "shop", "bob", "lamp", word), NOT_FLOAT)
        for word in ("1000000.5", "-1000001", "1e300"):
            for command in ("RECO.ADD", "RECO.SET", "RECO.MADD"):
                self.assert_refused((command, "shop", "bob", "lamp", word),
                                    "ERR weight must be between -1000000 and 1000000")

    def test_ids(self):
        for size in (0, 513, 100_000):
            long = "x" * size
            message = f"ERR %s id must be 1 to 512 bytes long, got {size}"
            for args in [("RECO.ADD", "shop", "%s", "desk"), ("RECO.ADD", "shop", "bob", "%s"),
                         ("RECO.SET", "shop", "%s", "desk", 1),
                         ("RECO.SET", "shop", "bob", "%s", 1),
                         ("RECO.REM", "shop", "%s", "lamp"), ("RECO.REM", "shop", "ann", "%s"),
                         ("RECO.PREF", "shop", "%s", "lamp"), ("RECO.PREF", "shop", "ann", "%s"),
                         ("RECO.HISTORY", "shop", "%s")]:
                side = "user" if args[2] == "%s" else "item"
                self.assert_refused(tuple(long if a == "%s" else a for a in args), message % side)
        self.assert_refused(("RECO.REM", "shop", "ann", "lamp", ""), "ERR item id must be")

    def test_options(self):
        for options, message in [
                (("TS",), SYNTAX), (("NOSUCH", 1), SYNTAX), ((1, "NOSUCH", 1), SYNTAX),
                ((1, "TS"), SYNTAX), (("TS", 1, "ts", 2), SYNTAX), (("ID", "a", "ID", "a"), SYNTAX),
                (("TYPE", "buy", "TYPE", "buy"), SYNTAX), (("TS", "abc"), NOT_INTEGER),
                (("TS", "1.5"), NOT_INTEGER), (("TS", "99999999999999999999"), NOT_INTEGER),
                (("TS", -1), "ERR TS must be between 0 and 253402300799999"),
                (("TS", 253402300800000), "ERR TS must be between"),
                (("ID", ""), "ERR ID must be 1 to 128 bytes long, got 0"),
                (("ID", "x" * 129), "ERR ID must be 1 to 128 bytes long, got 129"),
                (("TYPE", ""), "ERR TYPE must be 1 to 64 bytes long, got 0"),
                (("TYPE", "nosuch"), "ERR unknown type 'nosuch'")]:
            self.assert_refused(("RECO.ADD", "shop", "bob", "desk", *options), message)
        self.assert_refused(("RECO.SET", "shop", "bob", "desk", 1, "ID", "a"), SYNTAX)
        self.assert_refused(("RECO.SET", "shop", "bob", "desk", 1, "TYPE", "nosuch"),
                            "ERR unknown type 'nosuch'")

    def test_history_options(self):
        for options, message in [
                (("COUNT", 0), "ERR COUNT must be between 1 and 10000"),
                (("COUNT", 10001), "ERR COUNT must be between 1 and 10000"),
                (("COUNT", "x"), NOT_INTEGER), (("COUNT",), SYNTAX),
                (("OFFSET", -1), "ERR OFFSET must be between 0 and 1000000"),
                (("OFFSET", "1e3"), NOT_INTEGER), (("SINCE", "nan"), NOT_INTEGER),
                (("UNTIL", -1), "ERR UNTIL must be between"), (("ASOF", ""), NOT_INTEGER),
                (("WITHSCORES", "withscores"), SYNTAX), (("COUNT", 1, "COUNT", 1), SYNTAX),
                (("NOSUCH",), SYNTAX), (("TYPE",), SYNTAX),
                (("TYPE", "nosuch"), "ERR unknown type 'nosuch'")]:
            self.assert_refused(("RECO.HISTORY", "shop", "ann", *options), message)

    def test_a_refused_add_creates_no_collection(self):
        self.connection.error("RECO.ADD", "new", "ann", "lamp", "nan")
        self.connection.error("RECO.ADD", "new", "ann", "lamp", "TYPE", "nosuch")
        self.connection.error("RECO.SET", "new", "ann", "lamp", 1, "NOSUCH", 1)
        self.assertEqual(0, self.connection.cmd("EXISTS", "new"))

    def test_a_string_is_not_a_collection(self):
        self.connection.cmd("SET", "k", "one")
        for args in [("ADD", "k", "ann", "lamp"), ("MADD", "k", "ann", "lamp", 1),
                     ("SET", "k", "ann", "lamp", 1), ("REM", "k", "ann", "lamp"),
                     ("PREF", "k", "ann", "lamp"), ("HISTORY", "k", "ann"),
                     ("HISTORY", "k", "ann", "ASOF", 1)]:
            with self.subTest(args=args):
                self.assertEqual(
                    "WRONGTYPE Operation against a key holding the wrong kind of value",
                    self.connection.error("RECO." + args[0], *args[1:]))
        self.assertEqual(b"one", self.connection.cmd("GET", "k"))

    def test_arity(self):
        for args in [("ADD",), ("ADD", "shop", "ann"), ("MADD", "shop", "ann", "lamp"),
                     ("SET", "shop", "ann", "lamp"), ("REM", "shop", "ann"),
                     ("PREF", "shop", "ann"), ("HISTORY", "shop"), ("INFO",), ("INFO", "a", "b"),
                     ("CREATE",)]:
            self.assert_refused(
                ("RECO." + args[0], *args[1:]),
                f"ERR wrong number of arguments for 'reco.{args[0].lower()}' command")


if __name__ == "__main__":
    unittest.main()
