"""Bad input of every command is refused in the words of the protocol and changes nothing."""
import itertools
import re
import time
import unittest

import reco_e2e
from reco_e2e import as_map, reco_only

INTEGER = "ERR value is not an integer or out of range"
SYNTAX = "ERR syntax error"
WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
LONG_ID = "x" * 513


class Strings(reco_e2e.ServerTest):
    def assert_errors(self, cases):
        client = self.client()
        for command, message in cases:
            with self.subTest(command=command):
                self.assertEqual(message, client.error(*command))

    def test_set_checks_its_options(self):
        expire = "ERR invalid expire time in 'set' command"
        self.assert_errors([
            (("SET", "k", "v", "EX", "0"), expire),
            (("SET", "k", "v", "EX", "-1"), expire),
            (("SET", "k", "v", "PX", "0"), expire),
            (("SET", "k", "v", "EX", "9223372036854775807"), expire),
            (("SET", "k", "v", "EX", "abc"), INTEGER),
            (("SET", "k", "v", "EX", "1.5"), INTEGER),
            (("SET", "k", "v", "EX", "99999999999999999999"), INTEGER),
            (("SET", "k", "v", "EX"), SYNTAX),
            (("SET", "k", "v", "EX", "1", "PX", "1"), SYNTAX),
            (("SET", "k", "v", "NX", "XX"), SYNTAX),
            (("SET", "k", "v", "KEEPTTL", "EX", "1"), SYNTAX),
            (("SET", "k", "v", "NOSUCH"), SYNTAX),
            (("SET", "k"), "ERR wrong number of arguments for 'set' command"),
        ])
        self.assertEqual(0, self.client().cmd("EXISTS", "k"))

    def test_expire_checks_its_number_and_options(self):
        self.client().cmd("SET", "k", "v")
        self.assert_errors([
            (("EXPIRE", "k", "abc"), INTEGER),
            (("EXPIRE", "k", "9223372036854775807"), "ERR invalid expire time in 'expire' command"),
            (("PEXPIREAT", "k", "1.5"), INTEGER),
            (("EXPIRE", "k", "10", "NOSUCH"), "ERR Unsupported option NOSUCH"),
            (("EXPIRE", "k", "10", "NX", "XX"),
             "ERR NX and XX, GT or LT options at the same time are not compatible"),
            (("EXPIRE", "k", "10", "GT", "LT"),
             "ERR GT and LT options at the same time are not compatible"),
        ])
        self.assertEqual(-1, self.client().cmd("TTL", "k"))

    def test_scan_checks_its_cursor_and_options(self):
        self.assert_errors([
            (("SCAN", "abc"), "ERR invalid cursor"),
            (("SCAN", "1x"), "ERR invalid cursor"),
            (("SCAN", "0", "COUNT", "0"), SYNTAX),
            (("SCAN", "0", "COUNT", "abc"), INTEGER),
            (("SCAN", "0", "MATCH"), SYNTAX),
            (("SCAN", "0", "NOSUCH", "x"), SYNTAX),
        ])

    def test_rename_of_a_missing_key_is_an_error(self):
        self.assert_errors([(("RENAME", "nosuch", "b"), "ERR no such key")])

    def test_flush_checks_its_option(self):
        self.client().cmd("SET", "k", "v")
        self.assert_errors([(("FLUSHALL", "NOSUCH"), SYNTAX),
                            (("FLUSHDB", "SYNC", "ASYNC"), SYNTAX)])
        self.assertEqual(1, self.client().cmd("DBSIZE"))


@reco_only
class Collections(reco_e2e.ServerTest):
    """Each refusal leaves the picture of the collection as it was."""

    def setUp(self):
        super().setUp()
        client = self.client()
        client.cmd("RECO.CREATE", "shop", "DIM", 8, "TYPE", "buy", 3)
        client.pipeline([("RECO.ADD", "shop", f"u{n % 5}", f"i{n % 7}") for n in range(40)])
        client.cmd("RECO.ITEM", "SET", "shop", "i1", "ATTRS", '{"title":"one"}')
        client.cmd("SET", "text", "v")
        self.before = self.picture(client)

    def picture(self, client):
        info = as_map(client.cmd("RECO.INFO", "shop"))
        kept = {name: info[name] for name in ("users", "items", "interactions", "last-seq", "dim",
                                              "model-id")}
        return [kept, sorted(client.cmd("KEYS", "*")),
                client.cmd("RECO.CONFIG", "shop", "GET", "*"),
                [client.cmd("RECO.TOPK", "shop", f"u{n}", "WITHSCORES") for n in range(5)],
                client.cmd("RECO.ITEM", "GET", "shop", "i1"), client.cmd("GET", "text")]

    def assert_refused(self, cases, prefix="ERR "):
        client = self.client()
        for command in cases:
            with self.subTest(command=command):
                message = client.error(*command)
                self.assertTrue(message.startswith(prefix), message)
                self.assertNotIn("\n", message)
        self.assertEqual(self.before, self.picture(client))

    def assert_syntax_errors(self, cases):
        self.assert_refused(cases, SYNTAX)

    def test_weights_must_be_finite_numbers(self):
        for weight in ("nan", "inf", "-inf", "abc", "", " 1", "1 ", "1e400", "0x", "1,5"):
            self.assert_refused([("RECO.ADD", "shop", "u1", "i1", weight),
                                 ("RECO.SET", "shop", "u1", "i1", weight),
                                 ("RECO.MADD", "shop", "u1", "i1", "1", "u2", "i2", weight)])

    def test_ids_have_1_to_512_bytes(self):
        for bad in ("", LONG_ID):
            self.assert_refused([
                ("RECO.ADD", "shop", bad, "i1"), ("RECO.ADD", "shop", "u1", bad),
                ("RECO.MADD", "shop", "u1", "i1", "1", "u1", bad, "1"),
                ("RECO.SET", "shop", bad, "i1", "1"),
                ("RECO.ITEM", "SET", "shop", bad, "HIDDEN", "1"),
                ("RECO.USER", "SET", "shop", bad, "ATTRS", "{}")])

    def test_ids_of_512_bytes_and_any_content_are_fine(self):
        client = self.client()
        user, item = b"\xff" * 512, bytes(range(256)) * 2
        self.assertIsInstance(client.cmd("RECO.ADD", "shop", user, item), int)
        self.assertEqual([item], client.cmd("RECO.HISTORY", "shop", user))

    def test_unknown_and_repeated_options_are_syntax_errors(self):
        self.assert_syntax_errors([
            ("RECO.ADD", "shop", "u1", "i1", "1", "NOSUCH", "x"),
            ("RECO.ADD", "shop", "u1", "i1", "TS", "1", "TS", "2"),
            ("RECO.ADD", "shop", "u1", "i1", "ID"),
            ("RECO.CREATE", "new", "NOSUCH", "1"),
            ("RECO.CREATE", "new", "DIM", "8", "DIM", "8"),
            ("RECO.TOPK", "shop", "u1", "NOSUCH"),
            ("RECO.TOPK", "shop", "u1", "COUNT"),
            ("RECO.TOPK", "shop", "u1", "COUNT", "1", "COUNT", "2"),
            ("RECO.TOPK", "shop", "u1", "WITHSCORES", "WITHSCORES"),
            ("RECO.HISTORY", "shop", "u1", "NOSUCH"),
            ("RECO.SIMILAR", "shop", "1", "i1", "BY", "NOSUCH"),
            ("RECO.ITEM", "SET", "shop", "i1", "NOSUCH", "1"),
            ("RECO.RETRAIN", "shop", "SYNC", "SYNC"),
        ])

    def test_counts_are_bounded(self):
        for count in ("0", "-1", "10001", "abc", "1.5", "99999999999999999999", ""):
            self.assert_refused([
                ("RECO.TOPK", "shop", "u1", "COUNT", count),
                ("RECO.SESSION", "shop", "1", "i1", "COUNT", count),
                ("RECO.SIMILAR", "shop", "1", "i1", "COUNT", count),
                ("RECO.POPULAR", "shop", "COUNT", count),
                ("RECO.EXPLAIN", "shop", "u1", "i1", "COUNT", count)])
        for offset in ("-1", "abc", "99999999999999999999"):
            self.assert_refused([("RECO.TOPK", "shop", "u1", "OFFSET", offset)])

    def test_lists_announce_their_length(self):
        for count in ("0", "-1", "abc", "5", "2147483648", "9223372036854775807"):
            self.assert_refused([
                ("RECO.SESSION", "shop", count, "i1"),
                ("RECO.SIMILAR", "shop", count, "i1"),
                ("RECO.TOPK", "shop", "u1", "INCLUDE", count, "i1"),
                ("RECO.TOPK", "shop", "u1", "EXCLUDE", count, "i1"),
                ("RECO.TOPK", "shop", "u1", "CONTEXT", count, "i1")])

    def test_parameters_of_a_collection_have_ranges(self):
        for name, values in {
                "DIM": ("0", "-1", "513", "abc", "1.5"), "ALPHA": ("0", "-1", "nan", "inf", "1e7"),
                "REG": ("0", "-1", "nan", "inf"), "REGN": ("-1", "nan"),
                "UNOBSERVED": ("0", "-1", "nan", "SOMETIMES"), "ITERATIONS": ("0", "1001", "abc"),
                "TYPE": ("",)}.items():
            self.assert_refused([("RECO.CREATE", "new", name, value) for value in values])
        self.assert_refused([("RECO.CREATE", "new", "TYPE", "buy", "nan"),
                             ("RECO.CREATE", "new", "TYPE", "", "1"),
                             ("RECO.CONFIG", "shop", "SET", "alpha", "nan"),
                             ("RECO.CONFIG", "shop", "SET", "nosuch", "1"),
                             ("RECO.CONFIG", "shop", "SET", "alpha"),
                             ("RECO.RETRAIN", "shop", "ITERATIONS", "0")])

    def test_a_changed_dimension_shows_both_values(self):
        message = self.client().error("RECO.CREATE", "shop", "DIM", "16")
        self.assertIn("16", message)
        self.assertIn("8", message)
        self.assert_refused([("RECO.CREATE", "shop", "DIM", "16")])

    def test_an_unknown_type_is_refused(self):
        self.assert_refused([("RECO.ADD", "shop", "u1", "i1", "TYPE", "nosuch")])

    def test_times_are_integers_in_milliseconds(self):
        self.assert_refused([("RECO.ADD", "shop", "u1", "i1", "TS", value)
                             for value in ("abc", "1.5", "-1", "99999999999999999999")])

    def test_attributes_are_json_objects(self):
        for attributes in ("", "{", "[1]", "1", '{"a":}', '{"a":1} x', "{'a':1}"):
            self.assert_refused([("RECO.ITEM", "SET", "shop", "i1", "ATTRS", attributes)])

    def test_other_kinds_of_keys_are_refused(self):
        self.assert_refused([
            ("RECO.ADD", "text", "u", "i"), ("RECO.TOPK", "text", "u"), ("RECO.INFO", "text"),
            ("RECO.CREATE", "text"), ("RECO.RETRAIN", "text"), ("RECO.POPULAR", "text"),
            ("RECO.ITEM", "SET", "text", "i", "HIDDEN", "1"), ("RECO.SCORE", "text", "u", "i"),
            ("RECO.HISTORY", "text", "u"), ("GET", "shop")], WRONGTYPE)

    def test_arity_is_checked_before_anything(self):
        for name in ("ADD", "MADD", "SET", "REM", "PREF", "HISTORY", "TOPK", "SESSION", "SIMILAR",
                     "SCORE", "EXPLAIN", "POPULAR", "CREATE", "INFO", "RETRAIN", "EVAL"):
            self.assert_refused([("RECO." + name,)],
                                f"ERR wrong number of arguments for 'reco.{name.lower()}' command")
        self.assert_refused([("RECO.MADD", "shop", "u", "i", "1", "u")])
        self.assert_refused([("RECO.MADD", "shop", "u", "i", "1", "u", "i")])

    def test_subcommands_are_checked(self):
        for name in ("ITEM", "USER", "VECTOR", "JOB", "MODEL"):
            self.assert_refused([("RECO." + name, "NOSUCH", "shop")], "ERR unknown subcommand")

    def test_jobs_that_do_not_exist_are_named(self):
        self.assert_refused([("RECO.JOB", "INFO", "999999"), ("RECO.JOB", "CANCEL", "999999"),
                             ("RECO.JOB", "INFO", "abc"), ("RECO.JOB", "WAIT", "1", "abc")])

    def test_reads_of_a_missing_collection_are_empty(self):
        client = self.client()
        self.assertEqual([], client.cmd("RECO.TOPK", "nosuch", "u"))
        self.assertEqual([], client.cmd("RECO.HISTORY", "nosuch", "u"))
        self.assertEqual([], client.cmd("RECO.POPULAR", "nosuch"))
        self.assertEqual([None], client.cmd("RECO.PREF", "nosuch", "u", "i"))
        self.assertEqual([None], client.cmd("RECO.SCORE", "nosuch", "u", "i"))
        self.assertEqual(0, client.cmd("RECO.REM", "nosuch", "u", "i"))
        self.assertTrue(client.error("RECO.INFO", "nosuch").startswith("ERR no such"))
        self.assertEqual(0, client.cmd("EXISTS", "nosuch"))


@reco_only
class Memory(unittest.TestCase):
    def test_writes_past_maxmemory_are_refused_and_reads_go_on(self):
        with reco_e2e.Server() as server:
            client = server.client()
            client.cmd("RECO.CREATE", "shop")
            client.cmd("CONFIG", "SET", "maxmemory", "1mb")
            # The memory is counted in the background, so writes pass until the next count.
            reply = None
            deadline = time.monotonic() + 30
            for number in itertools.count():
                reply = client.pipeline([("SET", f"k{number % 200}", "v" * 100_000),
                                         ("RECO.ADD", "shop", f"u{number}", f"i{number}")])[1]
                if isinstance(reply, reco_e2e.RespError) or time.monotonic() > deadline:
                    break
            self.assertEqual("OOM command not allowed when used memory > 'maxmemory'.",
                             str(reply))
            self.assertEqual("PONG", client.cmd("PING"))
            # What adds nothing runs all the same.
            self.assertEqual([], client.cmd("RECO.RULE", "shop", "LIST"))
            self.assertEqual(0, client.cmd("RECO.RULE", "shop", "DEL", "nosuch"))
            self.assertEqual([b"dim", b"64"], client.cmd("RECO.CONFIG", "shop", "GET", "dim"))
            for command in (("RECO.RULE", "shop", "SET", "r", "FILTER", "1", "BURY"),
                            ("RECO.CONFIG", "shop", "SET", "retrain-every", 5)):
                self.assertTrue(client.error(*command).startswith("OOM "), command)
            client.cmd("CONFIG", "SET", "maxmemory", "0")
            self.assertEqual("OK", client.cmd("SET", "k", "v"))

    def test_memory_is_given_back(self):
        with reco_e2e.Server() as server:
            client = server.client()
            if not info_field(client, "mem_allocator").startswith("jemalloc"):
                self.skipTest("a sanitizer's allocator keeps what is freed")
            idle = resident_mb(client)
            client.cmd("SET", "large", "v" * 100_000_000)
            client.cmd("DEL", "large")
            client.cmd("SET", "small", "v")
            self.await_resident_mb(client, idle + 20)
            for number in range(40):
                client.cmd("RECO.CREATE", f"c{number}", "DIM", "256")
                client.cmd("RECO.MADD", f"c{number}",
                           *(word for i in range(30) for word in (f"u{i}", f"i{i}", "1")))
                client.cmd("RECO.RETRAIN", f"c{number}", "ITERATIONS", "1", "SYNC")
            self.assertGreater(resident_mb(client), idle + 30)
            client.cmd("FLUSHALL")
            self.await_resident_mb(client, idle + 20)

    def test_a_reply_is_freed_as_it_is_sent(self):
        with reco_e2e.Server() as server:
            client, reader = server.client(), server.client()
            empty = resident_mb(client)
            client.cmd("SET", "large", "v" * 100_000_000)
            client.cmd("SET", "small", "v")
            self.await_resident_mb(client, empty + 130)
            reader.send_raw(reco_e2e.encode("GET", "large"))
            reader.file.read(75_000_000)
            self.await_resident_mb(client, empty + 160)
            self.assertEqual(25_000_000 + len(b"$100000000\r\n\r\n"),
                             len(reader.file.read(25_000_000 + len(b"$100000000\r\n\r\n"))))

    def test_who_never_reads_costs_little_and_keeps_nobody_waiting(self):
        with reco_e2e.Server() as server:
            client = server.client()
            items = 10_000
            for start in range(0, items, 1000):
                client.cmd("RECO.MADD", "shop", *(
                    word for i in range(start, start + 1000)
                    for word in (f"user{i % 50}", f"an-item-with-a-long-name-{i}", "1")))
            topk = ("RECO.TOPK", "shop", "user0", "COUNT", items, "WITHSEEN", "WITHSCORES")
            self.assertEqual(2 * items, len(client.cmd(*topk)))
            client.send_raw(reco_e2e.encode(*topk) + b"QUIT\r\n")
            answer = client.read_to_end()[:-len(b"+OK\r\n")]
            client = server.client()
            rounds = 60
            pipeline = b"".join(reco_e2e.encode(*topk) + reco_e2e.encode("ECHO", n)
                                for n in range(rounds))
            expected = b"".join(answer + b"$%d\r\n%d\r\n" % (len(str(n)), n)
                                for n in range(rounds))
            idle = resident_mb(client)
            others = [server.client() for _ in range(50)]
            for other in others:
                other.send_raw(pipeline)
            longest, made, made_before = 0, 1, 0
            while made != made_before:  # until no further one is made for a second
                made_before = made
                end = time.monotonic() + 1
                while (begin := time.monotonic()) < end:
                    self.assertEqual("PONG", client.cmd("PING"))
                    longest = max(longest, time.monotonic() - begin)
                made = calls_of(client, "reco.topk")
            # All replies would be 1.3 GB, beside what the sockets hold.
            self.assertLess(resident_mb(client) - idle, 250)
            self.assertLess(longest, 2)
            for other in others:
                self.assertEqual(len(expected), len(received := other.file.read(len(expected))))
                self.assertTrue(received == expected)

    def await_resident_mb(self, client, most):
        deadline = time.monotonic() + 60
        while resident_mb(client) > most and time.monotonic() < deadline:
            time.sleep(0.2)
        self.assertLessEqual(resident_mb(client), most)


def info_field(client, name):
    lines = client.cmd("INFO", "memory").decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)[name]


def calls_of(client, command):
    return int(re.search(rf"cmdstat_{command}:calls=(\d+)",
                         client.cmd("INFO", "commandstats").decode()).group(1))


def resident_mb(client):
    return int(info_field(client, "used_memory_rss")) / 1e6


if __name__ == "__main__":
    unittest.main()
