"""RECO.ITEM, RECO.USER and RECO.VECTOR."""
import os
import subprocess
import time
import unittest

import reco_e2e
from reco_e2e import as_map, reco_only, text

NOT_INTEGER = "ERR value is not an integer or out of range"
SYNTAX = "ERR syntax error"
FIELDS = ["attributes", "hidden", "expire-at-ms", "first-ms", "last-ms", "interactions", "events"]
SIDES = ("ITEM", "USER")
ADMIN = os.path.join(reco_e2e.BIN, "reco-admin")


@reco_only
class Records(reco_e2e.ServerTest):
    def test_set_answers_whether_the_record_is_new_and_keeps_what_is_not_named(self):
        client = self.client()
        for side in SIDES:
            with self.subTest(side=side):
                command = "RECO." + side
                self.assertEqual(1, client.cmd(command, "SET", "shop", "a", "ATTRS", '{"n":1}'))
                self.assertEqual(0, client.cmd(command, "set", "shop", "a", "HIDDEN", 1))
                self.assertEqual(0, client.cmd(command, "SET", "shop", "a", "expireat",
                                               32503680000000))
                record = as_map(client.cmd(command, "GET", "shop", "a"))
                self.assertEqual(FIELDS, list(record))
                self.assertEqual([b'{"n":1}', 1, 32503680000000, 0, 0, 0, 0],
                                 list(record.values()))
                client.cmd(command, "SET", "shop", "a", "HIDDEN", 0, "EXPIREAT", 0, "ATTRS", "{}")
                record = as_map(client.cmd(command, "GET", "shop", "a"))
                self.assertEqual([b"{}", 0, 0], list(record.values())[:3])

    def test_a_time_in_seconds_is_warned_of(self):
        seconds, said = 1_800_000_000, "which is before 2001"
        for command in (("RECO.ITEM", "SET", "shop", "a", "EXPIREAT"),
                        ("RECO.USER", "SET", "shop", "a", "EXPIREAT"),
                        ("RECO.RULE", "shop", "SET", "r", "FILTER", "1", "BURY", "UNTIL"),
                        ("PEXPIREAT", "shop")):
            with self.subTest(command=command), reco_e2e.Server() as server:
                client = server.client()
                client.cmd("RECO.CREATE", "shop")
                client.cmd(*command, seconds * 1000)
                self.assertNotIn(said, server.output())
                # Of many there is one line.
                for _ in range(5):
                    client.cmd(*command, seconds)
                self.assertEqual(1, server.output().count(said), server.output())

    def test_reco_admin_warns_of_a_time_in_seconds(self):
        for words in (("RECO.ITEM", "SET", "shop", "a", "EXPIREAT"),
                      ("reco.rule", "shop", "set", "r", "filter", "1", "bury", "from")):
            for time_ms, warned in (("1800000000", True), ("1800000000000", False), ("0", False)):
                with self.subTest(words=words, time_ms=time_ms):
                    done = subprocess.run([ADMIN, "-p", str(self.server.port), "call", *words,
                                           time_ms], capture_output=True, text=True, timeout=60,
                                          check=False)
                    self.assertEqual((0, warned), (done.returncode, "before 2001" in done.stderr),
                                     done)

    def test_booleans_in_resp3(self):
        client = self.client(protocol=3)
        self.assertIs(True, client.cmd("RECO.ITEM", "SET", "shop", "a"))
        self.assertIs(False, client.cmd("RECO.ITEM", "SET", "shop", "a"))
        self.assertIs(False, client.cmd("RECO.ITEM", "GET", "shop", "a")[b"hidden"])
        self.assertIs(True, client.cmd("RECO.ITEM", "DEL", "shop", "a"))
        self.assertIs(False, client.cmd("RECO.ITEM", "DEL", "shop", "a"))

    def test_get_counts_what_happened(self):
        client = self.client()
        for item, ts in (("lamp", 2000), ("lamp", 3000), ("desk", 1000)):
            client.cmd("RECO.ADD", "shop", "ann", item, 1, "TS", ts)
        for side, name, expected in [("USER", "ann", [None, 0, 0, 1000, 3000, 2, 3]),
                                     ("ITEM", "lamp", [None, 0, 0, 2000, 3000, 1, 2])]:
            with self.subTest(side=side):
                record = as_map(client.cmd("RECO." + side, "GET", "shop", name))
                self.assertEqual(expected, [record[field] for field in FIELDS])

    def test_missing_records_and_collections(self):
        client = self.client()
        client.cmd("RECO.CREATE", "shop")
        for side in SIDES:
            for key in ("shop", "no"):
                with self.subTest(side=side, key=key):
                    command = "RECO." + side
                    self.assertIsNone(client.cmd(command, "GET", key, "a"))
                    self.assertEqual(0, client.cmd(command, "DEL", key, "a"))
                    self.assertEqual(0, client.cmd(command, "COUNT", key))
                    self.assertEqual([b"0", []], client.cmd(command, "SCAN", key, 0))
        self.assertEqual(0, client.cmd("EXISTS", "no"))

    def test_count_and_scan_see_every_id(self):
        client = self.client()
        names = sorted(b"u%d" % i for i in range(300))
        client.cmd("RECO.MADD", "shop", *[word for name in names for word in (name, "lamp", 1)])
        self.assertEqual(300, client.cmd("RECO.USER", "COUNT", "shop"))
        self.assertEqual(1, client.cmd("RECO.ITEM", "COUNT", "shop"))
        for options in ((), ("COUNT", 7), ("COUNT", 10000), ("MATCH", "u*")):
            with self.subTest(options=options):
                found, cursor = set(), 0
                while True:
                    cursor, page = client.cmd("RECO.USER", "SCAN", "shop", cursor, *options)
                    found.update(page)
                    if cursor == b"0":
                        break
                self.assertEqual(names, sorted(found))
        self.assertEqual([b"0", [b"u42"]],
                         client.cmd("RECO.USER", "SCAN", "shop", 0, "match", "u42", "count", 1000))

    def test_records_survive_a_kill(self):
        client = self.client()
        client.cmd("RECO.ITEM", "SET", "shop", "a", "ATTRS", '{"title":"Lamp"}', "HIDDEN", 1)
        client.cmd("RECO.USER", "SET", "shop", "ann", "EXPIREAT", 32503680000000)
        client.cmd("RECO.ITEM", "SET", "shop", "gone")
        client.cmd("RECO.ITEM", "DEL", "shop", "gone")
        self.server.kill9()
        self.server.start()
        client = self.client()
        record = as_map(client.cmd("RECO.ITEM", "GET", "shop", "a"))
        self.assertEqual([b'{"title":"Lamp"}', 1], list(record.values())[:2])
        record = as_map(client.cmd("RECO.USER", "GET", "shop", "ann"))
        self.assertEqual(32503680000000, record["expire-at-ms"])
        self.assertIsNone(client.cmd("RECO.ITEM", "GET", "shop", "gone"))


@reco_only
class Effects(reco_e2e.ServerTest):
    def setUp(self):
        super().setUp()
        self.connection = self.client()
        self.connection.cmd("RECO.CREATE", "shop", "DIM", 4)
        self.connection.cmd("RECO.MADD", "shop", "ann", "lamp", 1, "bob", "lamp", 1,
                            "bob", "desk", 1, "cid", "desk", 1, "cid", "sofa", 1)

    def lists(self):
        """Every item that any list offers."""
        offered = set(self.connection.cmd("RECO.POPULAR", "shop"))
        for user in ("ann", "bob", "cid", "nobody"):
            offered |= set(self.connection.cmd("RECO.TOPK", "shop", user, "WITHSEEN"))
        offered |= set(self.connection.cmd("RECO.SESSION", "shop", 1, "lamp", "WITHSEEN"))
        return offered

    def test_hidden_and_expired_items_vanish_at_once(self):
        every = {b"lamp", b"desk", b"sofa"}
        for trained in (False, True):
            if trained:
                self.connection.cmd("RECO.RETRAIN", "shop", "SYNC")
            with self.subTest(trained=trained):
                self.assertEqual(every, self.lists())
                self.connection.cmd("RECO.ITEM", "SET", "shop", "desk", "HIDDEN", 1)
                self.assertEqual(every - {b"desk"}, self.lists())
                self.connection.cmd("RECO.ITEM", "SET", "shop", "desk", "HIDDEN", 0)
                self.assertEqual(every, self.lists())
                past = int(time.time() * 1000) - 1
                self.connection.cmd("RECO.ITEM", "SET", "shop", "sofa", "EXPIREAT", past)
                self.assertEqual(every - {b"sofa"}, self.lists())
                self.connection.cmd("RECO.ITEM", "SET", "shop", "sofa", "EXPIREAT", 0)
                self.assertEqual(every, self.lists())

    def test_a_deleted_item_is_gone_everywhere(self):
        self.connection.cmd("RECO.RETRAIN", "shop", "SYNC")
        self.assertEqual(1, self.connection.cmd("RECO.ITEM", "DEL", "shop", "desk"))
        self.assertEqual({b"lamp", b"sofa"}, self.lists())
        self.assertEqual([b"lamp"], self.connection.cmd("RECO.HISTORY", "shop", "bob"))
        self.assertEqual([None], self.connection.cmd("RECO.PREF", "shop", "bob", "desk"))
        self.assertEqual([None], self.connection.cmd("RECO.SCORE", "shop", "ann", "desk"))
        self.assertIsNone(self.connection.cmd("RECO.VECTOR", "GET", "shop", "ITEM", "desk"))
        self.assertEqual(2, self.connection.cmd("RECO.ITEM", "COUNT", "shop"))
        info = as_map(self.connection.cmd("RECO.INFO", "shop"))
        self.assertEqual((2, 3), (info["items"], info["interactions"]))

    def test_a_deleted_user_is_gone_everywhere(self):
        self.connection.cmd("RECO.RETRAIN", "shop", "SYNC")
        self.assertEqual(1, self.connection.cmd("RECO.USER", "DEL", "shop", "bob"))
        self.assertEqual([], self.connection.cmd("RECO.HISTORY", "shop", "bob"))
        self.assertIsNone(self.connection.cmd("RECO.USER", "GET", "shop", "bob"))
        self.assertIsNone(self.connection.cmd("RECO.VECTOR", "GET", "shop", "USER", "bob"))
        self.assertEqual([b"desk", b"1", b"lamp", b"1", b"sofa", b"1"],
                         self.connection.cmd("RECO.POPULAR", "shop", "WITHSCORES"))
        info = as_map(self.connection.cmd("RECO.INFO", "shop"))
        self.assertEqual((2, 3), (info["users"], info["interactions"]))

    def test_a_deleted_user_comes_back_as_a_new_one(self):
        self.connection.cmd("RECO.USER", "DEL", "shop", "bob")
        self.connection.cmd("RECO.ADD", "shop", "bob", "sofa")
        self.assertEqual([b"sofa"], self.connection.cmd("RECO.HISTORY", "shop", "bob"))
        record = as_map(self.connection.cmd("RECO.USER", "GET", "shop", "bob"))
        self.assertEqual((1, 1), (record["interactions"], record["events"]))


@reco_only
class Vectors(reco_e2e.ServerTest):
    def test_has_dim_components_and_the_scores_are_their_products(self):
        client = self.client()
        client.cmd("RECO.CREATE", "shop", "DIM", 4)
        client.cmd("RECO.MADD", "shop", "ann", "lamp", 1, "bob", "lamp", 1, "bob", "desk", 1)
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        user = client.cmd("RECO.VECTOR", "GET", "shop", "user", "ann")
        item = self.client(protocol=3).cmd("RECO.VECTOR", "GET", "shop", "ITEM", "desk")
        self.assertEqual((4, 4), (len(user), len(item)))
        self.assertTrue(all(isinstance(value, float) for value in item))
        product = sum(float(x) * y for x, y in zip(user, item))
        self.assertAlmostEqual(product, float(client.cmd("RECO.SCORE", "shop", "ann", "desk")[0]),
                               places=3)

    def test_unknown_ids_and_collections_are_null(self):
        client = self.client()
        client.cmd("RECO.ADD", "shop", "ann", "lamp")
        self.assertIsNone(client.cmd("RECO.VECTOR", "GET", "shop", "ITEM", "ann"))
        self.assertIsNone(client.cmd("RECO.VECTOR", "GET", "shop", "USER", "lamp"))
        self.assertIsNone(client.cmd("RECO.VECTOR", "GET", "no", "USER", "ann"))


@reco_only
class BadInput(reco_e2e.ServerTest):
    def test_a_refused_set_changes_nothing(self):
        client = self.client()
        for side in SIDES:
            command = "RECO." + side
            client.cmd(command, "SET", "shop", "a", "ATTRS", '{"n":1}')
            before = text(as_map(client.cmd(command, "GET", "shop", "a")))
            for options, message in [
                    (("NOSUCH", 1), SYNTAX), (("HIDDEN",), SYNTAX), (("ATTRS",), SYNTAX),
                    (("HIDDEN", 1, "HIDDEN", 0), SYNTAX), (("HIDDEN", 1, "1"), SYNTAX),
                    (("HIDDEN", 2), "ERR HIDDEN must be between 0 and 1"),
                    (("HIDDEN", "yes"), NOT_INTEGER), (("EXPIREAT", "1.5"), NOT_INTEGER),
                    (("EXPIREAT", -1), "ERR EXPIREAT must be between 0 and 253402300799999"),
                    (("EXPIREAT", "99999999999999999999"), NOT_INTEGER),
                    (("HIDDEN", 1, "ATTRS", "not json"), "ERR ATTRS must be a JSON object"),
                    (("ATTRS", "[1]"), "ERR ATTRS must be a JSON object"),
                    (("ATTRS", '{"n":1,}'), "ERR ATTRS must be a JSON object"),
                    (("ATTRS", '{"n":NaN}'), "ERR ATTRS must be a JSON object"),
                    (("ATTRS", ""), "ERR ATTRS must be 1 to 65536 bytes long, got 0"),
                    (("ATTRS", '{"n":"' + "x" * 65536 + '"}'),
                     "ERR ATTRS must be 1 to 65536 bytes long, got 65544")]:
                with self.subTest(side=side, options=options[:2]):
                    self.assertEqual(message, client.error(command, "SET", "shop", "a", *options))
                    self.assertEqual(before, text(as_map(client.cmd(command, "GET", "shop", "a"))))

    def test_ids(self):
        client = self.client()
        for side in SIDES:
            for size in (0, 513):
                for subcommand in ("SET", "GET", "DEL"):
                    with self.subTest(side=side, size=size, subcommand=subcommand):
                        self.assertEqual(
                            f"ERR {side.lower()} id must be 1 to 512 bytes long, got {size}",
                            client.error("RECO." + side, subcommand, "shop", "x" * size))
        self.assertEqual("ERR user id must be 1 to 512 bytes long, got 513",
                         client.error("RECO.VECTOR", "GET", "shop", "USER", "x" * 513))
        self.assertEqual(0, client.cmd("EXISTS", "shop"))

    def test_scan_and_vector_options(self):
        client = self.client()
        client.cmd("RECO.ADD", "shop", "ann", "lamp")
        for args, message in [
                (("ITEM", "SCAN", "shop", "abc"), "ERR invalid cursor"),
                (("USER", "SCAN", "shop", "18446744073709551616"), "ERR invalid cursor"),
                (("ITEM", "SCAN", "shop", 0, "COUNT", 0), "ERR COUNT must be between 1 and 10000"),
                (("ITEM", "SCAN", "shop", 0, "COUNT", "nan"), NOT_INTEGER),
                (("ITEM", "SCAN", "shop", 0, "COUNT"), SYNTAX),
                (("ITEM", "SCAN", "shop", 0, "MATCH", "a", "MATCH", "a"), SYNTAX),
                (("ITEM", "SCAN", "shop", 0, "TYPE", "a"), SYNTAX),
                (("VECTOR", "GET", "shop", "NOSUCH", "ann"), SYNTAX)]:
            with self.subTest(args=args):
                self.assertEqual(message, client.error("RECO." + args[0], *args[1:]))

    def test_a_string_is_not_a_collection(self):
        client = self.client()
        client.cmd("SET", "k", "one")
        for side in SIDES:
            for args in [("SET", "k", "a"), ("GET", "k", "a"), ("DEL", "k", "a"), ("COUNT", "k"),
                         ("SCAN", "k", 0)]:
                with self.subTest(side=side, args=args):
                    self.assertEqual(
                        "WRONGTYPE Operation against a key holding the wrong kind of value",
                        client.error("RECO." + side, *args))
        self.assertTrue(client.error("RECO.VECTOR", "GET", "k", "USER", "a")
                        .startswith("WRONGTYPE "))

    def test_help_names_every_subcommand(self):
        client = self.client()
        for name, subcommands in [("ITEM", ["SET", "MERGE", "GET", "DEL", "SCAN", "COUNT"]),
                                  ("USER", ["SET", "MERGE", "GET", "DEL", "SCAN", "COUNT"]),
                                  ("VECTOR", ["GET"]), ("MODEL", ["LIST"]),
                                  ("JOB", ["LIST", "INFO", "CANCEL", "WAIT"])]:
            with self.subTest(name=name):
                lines = client.cmd("RECO." + name, "help")
                self.assertEqual(f"RECO.{name} <subcommand> [<arg> [value] [opt] ...]. "
                                 "Subcommands are:", lines[0])
                self.assertEqual([*subcommands, "HELP"],
                                 [line.split(" ", 1)[0] for line in lines[1::2]])
                self.assertTrue(all(line.startswith("    ") for line in lines[2::2]))
                self.assertEqual(f"ERR wrong number of arguments for 'reco.{name.lower()}|help' "
                                 "command", client.error("RECO." + name, "HELP", "shop"))

    def test_arity_and_unknown_subcommands(self):
        client = self.client()
        for args in [("item", "set", "shop"), ("item", "get", "shop"),
                     ("item", "del", "a", "b", "c"),
                     ("item", "scan", "shop"), ("item", "count"), ("user", "set", "shop"),
                     ("user", "get", "shop", "a", "b"), ("user", "del", "shop"),
                     ("user", "scan", "shop"), ("user", "count", "a", "b"),
                     ("vector", "get", "shop", "user")]:
            with self.subTest(args=args):
                self.assertEqual(
                    f"ERR wrong number of arguments for 'reco.{args[0]}|{args[1]}' command",
                    client.error("RECO." + args[0], *args[1:]))
        for name in ("item", "user", "vector", "job", "model"):
            with self.subTest(name=name):
                self.assertEqual(
                    f"ERR unknown subcommand 'nosuch'. Try RECO.{name.upper()} HELP.",
                    client.error("RECO." + name, "nosuch", "shop"))
                self.assertEqual(f"ERR wrong number of arguments for 'reco.{name}' command",
                                 client.error("RECO." + name))


if __name__ == "__main__":
    unittest.main()
