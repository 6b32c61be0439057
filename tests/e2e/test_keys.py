"""Keys of any kind: DEL ... PERSIST. Passes against redis-server too, except where marked."""
import time
import unittest

import reco_e2e
from reco_e2e import RespError, reco_only

NOT_INTEGER = "ERR value is not an integer or out of range"
SYNTAX = "ERR syntax error"
LONGEST = 2**63 - 1


def scan_all(client, *options):
    """The names of a complete iteration, sorted."""
    names, cursor = [], b"0"
    while True:
        cursor, page = client.cmd("SCAN", cursor, *options)
        names += page
        if cursor == b"0":
            return sorted(names)


def now_ms():
    return int(time.time() * 1000)


class Existence(reco_e2e.ServerTest):
    def test_del_and_unlink_answer_how_many_keys_existed(self):
        client = self.client()
        for command in ("DEL", "UNLINK"):
            with self.subTest(command=command):
                client.cmd("SET", "a", 1)
                client.cmd("SET", b"b\x00\r\n", 1)
                self.assertEqual(2, client.cmd(command, "a", "no", b"b\x00\r\n", "a"))
                self.assertEqual(0, client.cmd(command, "a"))
                self.assertEqual(0, client.cmd("DBSIZE"))

    def test_exists_counts_a_key_as_often_as_it_is_named(self):
        client = self.client()
        client.cmd("SET", "a", 1)
        self.assertEqual(3, client.cmd("EXISTS", "a", "no", "a", "a"))
        self.assertEqual(0, client.cmd("EXISTS", "no"))

    def test_type_of_a_string_and_of_a_missing_key(self):
        client = self.client()
        client.cmd("SET", "a", 1)
        self.assertEqual("string", client.cmd("TYPE", "a"))
        self.assertEqual("none", client.cmd("TYPE", "no"))

    def test_keys_live_in_their_database(self):
        client, other = self.client(), self.client(db=1)
        client.cmd("SET", "a", 1)
        self.assertEqual(0, other.cmd("EXISTS", "a"))
        self.assertEqual([b"0", []], other.cmd("SCAN", 0))
        self.assertEqual(0, other.cmd("DEL", "a"))
        self.assertEqual(1, client.cmd("EXISTS", "a"))

    @reco_only
    def test_a_collection_is_a_key_of_type_reco(self):
        client = self.client()
        client.cmd("RECO.ADD", "shop", "ann", "lamp")
        self.assertEqual("reco", client.cmd("TYPE", "shop"))
        self.assertEqual(1, client.cmd("EXISTS", "shop"))
        self.assertEqual([b"shop"], client.cmd("KEYS", "*"))
        self.assertEqual(1, client.cmd("DEL", "shop"))
        self.assertEqual("none", client.cmd("TYPE", "shop"))
        self.assertEqual([], client.cmd("RECO.HISTORY", "shop", "ann"))
        self.assertEqual(1, client.cmd("RECO.ADD", "shop", "ann", "lamp"))
        self.assertEqual(1, client.cmd("UNLINK", "shop"))
        self.assertEqual(0, client.cmd("EXISTS", "shop"))


class Iteration(reco_e2e.ServerTest):
    def setUp(self):
        super().setUp()
        self.names = sorted(b"key:%d" % i for i in range(250))
        self.connection = self.client()
        self.connection.pipeline([("SET", name, 1) for name in self.names])

    def test_a_complete_scan_returns_every_key(self):
        self.assertEqual(self.names, sorted(set(scan_all(self.connection))))
        self.assertEqual(self.names, sorted(set(scan_all(self.connection, "COUNT", 3))))
        self.assertEqual(self.names, scan_all(self.connection, "count", LONGEST))

    def test_scan_filters_by_pattern_and_type(self):
        self.assertEqual([b"key:70", b"key:71"], scan_all(self.connection, "MATCH", "key:7[01]"))
        self.assertEqual([b"key:177", b"key:77"],  # the last of a repeated option counts
                         scan_all(self.connection, "MATCH", "key:7?", "MATCH", "*77"))
        self.assertEqual(self.names, scan_all(self.connection, "TYPE", "STRING", "COUNT", 1000))
        self.assertEqual([], scan_all(self.connection, "TYPE", "list", "COUNT", 1000))

    @reco_only
    def test_scan_type_reco_returns_collections_only(self):
        self.connection.cmd("RECO.CREATE", "shop")
        self.assertEqual([b"shop"], scan_all(self.connection, "TYPE", "reco"))
        self.assertEqual([], scan_all(self.connection, "TYPE", "reco", "MATCH", "key:*"))

    def test_scan_returns_what_stays_while_other_keys_come_and_go(self):
        kept = self.names[::2]
        names, cursor, step = [], b"0", 0
        while True:
            cursor, page = self.connection.cmd("SCAN", cursor)
            names += page
            if cursor == b"0":
                break
            self.connection.cmd("SET", "new:%d" % step, 1)
            self.connection.cmd("DEL", self.names[1::2][step % 125])
            step += 1
        self.assertLessEqual(set(kept), set(names))

    def test_bad_scans(self):
        for args, message in [
                (("abc",), "ERR invalid cursor"), ((" 0",), "ERR invalid cursor"),
                (("1x",), "ERR invalid cursor"), (("18446744073709551616",), "ERR invalid cursor"),
                (("0", "COUNT", "0"), SYNTAX), (("0", "COUNT", "-1"), SYNTAX),
                (("0", "COUNT", "abc"), NOT_INTEGER), (("0", "COUNT", "1e400"), NOT_INTEGER),
                (("0", "COUNT", "99999999999999999999"), NOT_INTEGER),
                (("0", "COUNT"), SYNTAX), (("0", "MATCH"), SYNTAX), (("0", "TYPE"), SYNTAX),
                (("0", "NOSUCH", "1"), SYNTAX), (("0", "TYPE", "string", "x"), SYNTAX)]:
            with self.subTest(args=args):
                self.assertEqual(message, self.connection.error("SCAN", *args))

    def test_keys_follows_glob_rules(self):
        client = self.client(db=2)
        for name in ("hello", "hallo", "hxllo", "h[llo", "other"):
            client.cmd("SET", name, 1)
        for pattern, names in [("*", {b"hello", b"hallo", b"hxllo", b"h[llo", b"other"}),
                               ("h?llo", {b"hello", b"hallo", b"hxllo", b"h[llo"}),
                               ("h[ae]llo", {b"hello", b"hallo"}),
                               ("h[^e]llo", {b"hallo", b"hxllo", b"h[llo"}),
                               ("h\\[llo", {b"h[llo"}), ("", set()), ("none", set())]:
            with self.subTest(pattern=pattern):
                self.assertEqual(names, set(client.cmd("KEYS", pattern)))


class Renaming(reco_e2e.ServerTest):
    def test_the_value_and_its_expiry_move(self):
        client = self.client()
        client.cmd("SET", "a", "one", "PXAT", 32503680000000)
        client.cmd("SET", "b", "two")
        self.assertEqual("OK", client.cmd("RENAME", "a", "b"))
        self.assertEqual(b"one", client.cmd("GET", "b"))
        self.assertEqual(32503680000000, client.cmd("PEXPIRETIME", "b"))
        self.assertEqual(0, client.cmd("EXISTS", "a"))

    def test_a_target_that_had_an_expiry_loses_it(self):
        client = self.client()
        client.cmd("SET", "a", 1)
        client.cmd("SET", "b", 2, "EX", 1000)
        client.cmd("RENAME", "a", "b")
        self.assertEqual(-1, client.cmd("TTL", "b"))

    def test_a_missing_source_is_an_error_and_changes_nothing(self):
        client = self.client()
        client.cmd("SET", "b", "two")
        self.assertEqual("ERR no such key", client.error("RENAME", "no", "b"))
        self.assertEqual("ERR no such key", client.error("RENAME", "no", "no"))
        self.assertEqual(b"two", client.cmd("GET", "b"))

    def test_to_itself_is_ok(self):
        client = self.client()
        client.cmd("SET", "a", 1)
        self.assertEqual("OK", client.cmd("RENAME", "a", "a"))
        self.assertEqual(b"1", client.cmd("GET", "a"))

    @reco_only
    def test_a_collection_moves_with_everything_in_it(self):
        client = self.client()
        client.cmd("RECO.ADD", "shop", "ann", "lamp", 3)
        client.cmd("SET", "target", "gone")
        self.assertEqual("OK", client.cmd("RENAME", "shop", "target"))
        self.assertEqual([b"3"], client.cmd("RECO.PREF", "target", "ann", "lamp"))
        self.assertEqual([], client.cmd("RECO.HISTORY", "shop", "ann"))
        self.assertEqual(2, client.cmd("RECO.ADD", "target", "ann", "desk"))


class Expiry(reco_e2e.ServerTest):
    def test_each_command_sets_its_unit(self):
        client = self.client()
        client.cmd("SET", "a", 1)
        self.assertEqual(1, client.cmd("EXPIRE", "a", 1000))
        self.assertIn(client.cmd("TTL", "a"), (999, 1000))
        self.assertTrue(990000 < client.cmd("PTTL", "a") <= 1000000)
        self.assertEqual(1, client.cmd("PEXPIRE", "a", 500000))
        self.assertTrue(490000 < client.cmd("PTTL", "a") <= 500000)
        self.assertEqual(1, client.cmd("EXPIREAT", "a", 32503680000))
        self.assertEqual(32503680000, client.cmd("EXPIRETIME", "a"))
        self.assertEqual(32503680000000, client.cmd("PEXPIRETIME", "a"))
        self.assertEqual(1, client.cmd("PEXPIREAT", "a", 32503680000600))
        self.assertEqual(32503680000600, client.cmd("PEXPIRETIME", "a"))
        self.assertEqual(32503680001, client.cmd("EXPIRETIME", "a"))

    def test_without_key_or_expiry(self):
        client = self.client()
        client.cmd("SET", "a", 1)
        for command in ("TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"):
            with self.subTest(command=command):
                self.assertEqual(-2, client.cmd(command, "no"))
                self.assertEqual(-1, client.cmd(command, "a"))
        for command in ("EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"):
            with self.subTest(command=command):
                self.assertEqual(0, client.cmd(command, "no", 32503680000))

    def test_persist_answers_whether_there_was_an_expiry(self):
        client = self.client()
        client.cmd("SET", "a", 1, "EX", 1000)
        self.assertEqual(1, client.cmd("PERSIST", "a"))
        self.assertEqual(-1, client.cmd("TTL", "a"))
        self.assertEqual(0, client.cmd("PERSIST", "a"))
        self.assertEqual(0, client.cmd("PERSIST", "no"))

    def test_a_time_in_the_past_deletes_the_key(self):
        client = self.client()
        for command, value in (("EXPIRE", 0), ("EXPIRE", -1), ("PEXPIRE", -5), ("EXPIREAT", 1),
                               ("PEXPIREAT", 1), ("PEXPIREAT", -1), ("EXPIREAT", -100)):
            with self.subTest(command=command, value=value):
                client.cmd("SET", "a", 1)
                self.assertEqual(1, client.cmd(command, "a", value))
                self.assertEqual(0, client.cmd("EXISTS", "a"))

    def test_a_key_vanishes_at_its_time(self):
        client = self.client()
        client.cmd("SET", "a", 1)
        client.cmd("PEXPIREAT", "a", now_ms() + 30)
        reco_e2e.eventually(lambda: client.cmd("EXISTS", "a") == 0)
        self.assertIsNone(client.cmd("GET", "a"))
        self.assertEqual("none", client.cmd("TYPE", "a"))
        self.assertEqual([], client.cmd("KEYS", "*"))
        self.assertEqual(-2, client.cmd("PTTL", "a"))

    def test_conditions(self):
        client = self.client()
        # (options, the expiry before, the new expiry, whether it is set)
        for options, before, at, expected in [
                (("NX",), None, 2000, 1), (("NX",), 3000, 2000, 0),
                (("XX",), None, 2000, 0), (("XX",), 3000, 2000, 1),
                (("GT",), None, 2000, 0), (("GT",), 3000, 2000, 0), (("GT",), 1000, 2000, 1),
                (("GT",), 2000, 2000, 0), (("LT",), None, 2000, 1), (("LT",), 3000, 2000, 1),
                (("LT",), 1000, 2000, 0), (("LT",), 2000, 2000, 0),
                (("XX", "GT"), None, 2000, 0), (("xx", "gt"), 1000, 2000, 1),
                (("XX", "LT"), None, 2000, 0), (("XX", "LT"), 3000, 2000, 1),
                (("LT", "XX"), 1000, 2000, 0), (("NX", "nx"), None, 2000, 1)]:
            with self.subTest(options=options, before=before, at=at):
                base = 32503680000
                client.cmd("SET", "a", 1)
                if before is not None:
                    client.cmd("EXPIREAT", "a", base + before)
                self.assertEqual(expected, client.cmd("EXPIREAT", "a", base + at, *options))
                left = base + at if expected else (-1 if before is None else base + before)
                self.assertEqual(left, client.cmd("EXPIRETIME", "a"))

    def test_bad_arguments_change_nothing(self):
        client = self.client()
        client.cmd("SET", "a", 1)
        invalid = "ERR invalid expire time in '%s' command"
        for args, message in [
                (("EXPIRE", "a", "abc"), NOT_INTEGER), (("EXPIRE", "a", "1.5"), NOT_INTEGER),
                (("EXPIRE", "a", " 1"), NOT_INTEGER), (("EXPIRE", "a", "0x10"), NOT_INTEGER),
                (("EXPIRE", "a", "nan"), NOT_INTEGER), (("EXPIRE", "a", ""), NOT_INTEGER),
                (("PEXPIRE", "a", "9223372036854775808"), NOT_INTEGER),
                (("EXPIRE", "a", LONGEST), invalid % "expire"),
                (("EXPIRE", "a", -LONGEST), invalid % "expire"),
                (("EXPIRE", "a", LONGEST // 1000), invalid % "expire"),
                (("PEXPIRE", "a", LONGEST), invalid % "pexpire"),
                (("expireat", "a", LONGEST // 1000 + 1), invalid % "expireat"),
                (("EXPIRE", "no", LONGEST), invalid % "expire"),
                (("EXPIRE", "a", 10, "NOSUCH"), "ERR Unsupported option NOSUCH"),
                (("EXPIRE", "a", "abc", "NOSUCH"), "ERR Unsupported option NOSUCH"),
                (("EXPIRE", "a", 10, "NX", "XX"),
                 "ERR NX and XX, GT or LT options at the same time are not compatible"),
                (("EXPIRE", "a", 10, "GT", "NX"),
                 "ERR NX and XX, GT or LT options at the same time are not compatible"),
                (("PEXPIREAT", "a", 10, "GT", "LT"),
                 "ERR GT and LT options at the same time are not compatible")]:
            with self.subTest(args=args):
                self.assertEqual(message, client.error(*args))
                self.assertEqual(-1, client.cmd("TTL", "a"))

    @reco_only
    def test_a_collection_can_expire(self):
        client = self.client()
        client.cmd("RECO.ADD", "shop", "ann", "lamp")
        self.assertEqual(1, client.cmd("EXPIRE", "shop", 1000))
        self.assertIn(client.cmd("TTL", "shop"), (999, 1000))
        client.cmd("RECO.ADD", "shop", "ann", "desk")
        self.assertIn(client.cmd("TTL", "shop"), (999, 1000))
        self.assertEqual(1, client.cmd("PEXPIRE", "shop", -1))
        self.assertEqual([], client.cmd("RECO.HISTORY", "shop", "ann"))
        self.assertEqual("none", client.cmd("TYPE", "shop"))


class Durability(reco_e2e.ServerTest):
    options = {"appendfsync": "always"}

    def test_keys_survive_a_kill(self):
        client = self.client()
        client.cmd("SET", "a", "one")
        client.cmd("SET", "b", "two")
        client.cmd("EXPIREAT", "b", 32503680000)
        client.cmd("SET", "c", "three")
        client.cmd("DEL", "c")
        client.cmd("RENAME", "a", "d")
        client.cmd("SET", "e", 1, "EX", 1000)
        client.cmd("PERSIST", "e")
        self.server.kill9()
        self.server.start()
        client = self.client()
        self.assertEqual([b"b", b"d", b"e"], scan_all(client))
        self.assertEqual(b"one", client.cmd("GET", "d"))
        self.assertEqual(32503680000, client.cmd("EXPIRETIME", "b"))
        self.assertEqual(-1, client.cmd("TTL", "e"))


class Arity(reco_e2e.ServerTest):
    def test_a_wrong_number_of_arguments(self):
        client = self.client()
        for args in [("DEL",), ("UNLINK",), ("EXISTS",), ("TYPE",), ("TYPE", "a", "b"), ("SCAN",),
                     ("KEYS",), ("KEYS", "a", "b"), ("RENAME", "a"), ("RENAME", "a", "b", "c"),
                     ("EXPIRE", "a"), ("PEXPIRE", "a"), ("EXPIREAT", "a"), ("PEXPIREAT", "a"),
                     ("TTL",), ("TTL", "a", "b"), ("PTTL",), ("EXPIRETIME",), ("PEXPIRETIME",),
                     ("PERSIST",), ("PERSIST", "a", "b")]:
            with self.subTest(args=args):
                self.assertEqual(
                    f"ERR wrong number of arguments for '{args[0].lower()}' command",
                    client.error(*args))

    def test_an_error_in_a_pipeline_leaves_the_others_alone(self):
        replies = self.client().pipeline([("SET", "a", 1), ("EXPIRE", "a"), ("EXISTS", "a")])
        self.assertEqual(["OK", RespError("ERR wrong number of arguments for 'expire' command"), 1],
                         replies)


if __name__ == "__main__":
    unittest.main()
