"""SET with all its options, and GET. Passes against redis-server too, except where marked."""
import time
import unittest

import reco_e2e
from reco_e2e import reco_only

NOT_INTEGER = "ERR value is not an integer or out of range"
SYNTAX = "ERR syntax error"
INVALID_EXPIRE = "ERR invalid expire time in 'set' command"
WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
LONGEST = 2**63 - 1
YEAR_3000 = 32503680000


class Values(reco_e2e.ServerTest):
    def test_any_bytes_come_back(self):
        client = self.client()
        for value in (b"", b"one", b"a\x00b\r\nc", bytes(range(256)), b"x" * 1_000_000):
            with self.subTest(length=len(value)):
                self.assertEqual("OK", client.cmd("SET", b"k\x00\r\n", value))
                self.assertEqual(value, client.cmd("GET", b"k\x00\r\n"))

    def test_an_empty_key_is_a_key(self):
        client = self.client()
        client.cmd("SET", "", "one")
        self.assertEqual(b"one", client.cmd("GET", ""))

    def test_a_missing_key_is_null(self):
        self.assertIsNone(self.client().cmd("GET", "no"))
        self.assertIsNone(self.client(protocol=3).cmd("GET", "no"))

    def test_null_has_the_bytes_of_the_protocol(self):
        for protocol, null in ((2, b"$-1\r\n"), (3, b"_\r\n")):
            with self.subTest(protocol=protocol):
                client = self.client(protocol=protocol)
                client.send_raw(b"GET no\r\nSET k v XX\r\n")
                self.assertEqual([null[:-2]] * 2, [client.read_line(), client.read_line()])

    def test_set_replaces_value_and_expiry(self):
        client = self.client()
        client.cmd("SET", "k", "one", "EX", 1000)
        client.cmd("SET", "k", "two")
        self.assertEqual(b"two", client.cmd("GET", "k"))
        self.assertEqual(-1, client.cmd("TTL", "k"))


class Conditions(reco_e2e.ServerTest):
    def test_nx_sets_only_a_missing_key(self):
        client = self.client()
        self.assertEqual("OK", client.cmd("SET", "k", "one", "NX"))
        self.assertIsNone(client.cmd("SET", "k", "two", "nx"))
        self.assertEqual(b"one", client.cmd("GET", "k"))

    def test_xx_sets_only_an_existing_key(self):
        client = self.client()
        self.assertIsNone(client.cmd("SET", "k", "one", "XX"))
        self.assertEqual(0, client.cmd("EXISTS", "k"))
        client.cmd("SET", "k", "one")
        self.assertEqual("OK", client.cmd("SET", "k", "two", "xx"))
        self.assertEqual(b"two", client.cmd("GET", "k"))

    def test_get_answers_the_old_value_whether_or_not_it_sets(self):
        client = self.client()
        self.assertIsNone(client.cmd("SET", "k", "one", "GET"))
        self.assertEqual(b"one", client.cmd("SET", "k", "two", "GET"))
        self.assertEqual(b"two", client.cmd("SET", "k", "three", "NX", "GET"))
        self.assertEqual(b"two", client.cmd("SET", "k", "four", "GET", "XX"))
        self.assertEqual(b"four", client.cmd("GET", "k"))
        self.assertIsNone(client.cmd("SET", "new", "one", "NX", "GET"))
        self.assertEqual(b"one", client.cmd("GET", "new"))
        self.assertIsNone(client.cmd("SET", "no", "one", "XX", "GET"))
        self.assertEqual(0, client.cmd("EXISTS", "no"))

    def test_an_unmet_condition_leaves_the_expiry_alone(self):
        client = self.client()
        client.cmd("SET", "k", "one", "EXAT", YEAR_3000)
        self.assertIsNone(client.cmd("SET", "k", "two", "NX", "EXAT", YEAR_3000 + 5))
        self.assertEqual(YEAR_3000, client.cmd("EXPIRETIME", "k"))


class Expiries(reco_e2e.ServerTest):
    def test_each_option_sets_its_unit(self):
        client = self.client()
        client.cmd("SET", "k", 1, "EX", 1000)
        self.assertIn(client.cmd("TTL", "k"), (999, 1000))
        client.cmd("SET", "k", 1, "px", 500000)
        self.assertTrue(490000 < client.cmd("PTTL", "k") <= 500000)
        client.cmd("SET", "k", 1, "EXAT", YEAR_3000)
        self.assertEqual(YEAR_3000, client.cmd("EXPIRETIME", "k"))
        client.cmd("SET", "k", 1, "PxAt", YEAR_3000 * 1000 + 7)
        self.assertEqual(YEAR_3000 * 1000 + 7, client.cmd("PEXPIRETIME", "k"))

    def test_the_last_of_an_option_given_twice_counts(self):
        client = self.client()
        self.assertEqual("OK", client.cmd("SET", "k", 1, "EXAT", 7, "EXAT", YEAR_3000))
        self.assertEqual(YEAR_3000, client.cmd("EXPIRETIME", "k"))
        self.assertEqual(b"1", client.cmd("SET", "k", 2, "XX", "GET", "XX", "GET"))

    def test_keepttl_keeps_the_expiry(self):
        client = self.client()
        client.cmd("SET", "k", "one", "EXAT", YEAR_3000)
        self.assertEqual("OK", client.cmd("SET", "k", "two", "KEEPTTL"))
        self.assertEqual(b"two", client.cmd("GET", "k"))
        self.assertEqual(YEAR_3000, client.cmd("EXPIRETIME", "k"))
        self.assertEqual("OK", client.cmd("SET", "new", "two", "keepttl"))
        self.assertEqual(-1, client.cmd("TTL", "new"))

    def test_a_value_vanishes_at_its_time(self):
        client = self.client()
        client.cmd("SET", "k", 1, "PX", 30)
        reco_e2e.eventually(lambda: client.cmd("GET", "k") is None)
        self.assertEqual("OK", client.cmd("SET", "k", 1, "NX"))
        self.assertEqual("OK", client.cmd("SET", "past", 1, "PXAT", int(time.time() * 1000) - 10))
        self.assertIsNone(client.cmd("GET", "past"))


class BadInput(reco_e2e.ServerTest):
    def test_a_refused_set_changes_nothing(self):
        client = self.client()
        client.cmd("SET", "k", "one", "EXAT", YEAR_3000)
        for options, message in [
                (("NOSUCH",), SYNTAX), (("EX",), SYNTAX), (("NX", "XX"), SYNTAX),
                (("XX", "NX"), SYNTAX), (("EX", 1, "PX", 1), SYNTAX),
                (("EX", 1, "KEEPTTL"), SYNTAX), (("KEEPTTL", "EX", 1), SYNTAX),
                (("EXAT", 1, "PXAT", 1), SYNTAX), (("PX", 1, "EX"), SYNTAX), (("10",), SYNTAX),
                (("EX", "abc"), NOT_INTEGER), (("EX", "1.5"), NOT_INTEGER),
                (("EX", " 1"), NOT_INTEGER), (("EX", "1 "), NOT_INTEGER),
                (("EX", "+1"), NOT_INTEGER), (("EX", "01"), NOT_INTEGER),
                (("EX", ""), NOT_INTEGER), (("EX", "0x10"), NOT_INTEGER),
                (("EX", "nan"), NOT_INTEGER), (("EX", "inf"), NOT_INTEGER),
                (("PX", "1e400"), NOT_INTEGER), (("PX", LONGEST + 1), NOT_INTEGER),
                (("EX", 0), INVALID_EXPIRE), (("PX", -1), INVALID_EXPIRE),
                (("EXAT", 0), INVALID_EXPIRE), (("PXAT", -5), INVALID_EXPIRE),
                (("EX", LONGEST), INVALID_EXPIRE), (("PX", LONGEST), INVALID_EXPIRE),
                (("EX", LONGEST // 1000), INVALID_EXPIRE),
                (("EXAT", LONGEST // 1000 + 1), INVALID_EXPIRE)]:
            with self.subTest(options=options):
                self.assertEqual(message, client.error("SET", "k", "two", *options))
                self.assertEqual(b"one", client.cmd("GET", "k"))
                self.assertEqual(YEAR_3000, client.cmd("EXPIRETIME", "k"))

    def test_a_wrong_number_of_arguments(self):
        client = self.client()
        for args in [("SET",), ("SET", "k"), ("GET",), ("GET", "k", "l")]:
            with self.subTest(args=args):
                self.assertEqual(
                    f"ERR wrong number of arguments for '{args[0].lower()}' command",
                    client.error(*args))

    @reco_only
    def test_a_collection_is_not_a_string(self):
        client = self.client()
        client.cmd("RECO.ADD", "shop", "ann", "lamp")
        self.assertEqual(WRONGTYPE, client.error("GET", "shop"))
        self.assertEqual(WRONGTYPE, client.error("SET", "shop", "one", "GET"))
        self.assertEqual([b"lamp"], client.cmd("RECO.HISTORY", "shop", "ann"))

    @reco_only
    def test_a_plain_set_replaces_a_collection(self):
        client = self.client()
        client.cmd("RECO.ADD", "shop", "ann", "lamp")
        self.assertEqual("OK", client.cmd("SET", "shop", "one"))
        self.assertEqual(b"one", client.cmd("GET", "shop"))
        self.assertEqual("string", client.cmd("TYPE", "shop"))


if __name__ == "__main__":
    unittest.main()
