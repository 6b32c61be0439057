"""RECO.CREATE, RECO.CONFIG and RECO.INFO."""
import unittest

import reco_e2e
from reco_e2e import as_map, reco_only, text

SYNTAX = "ERR syntax error"
MISSING = "ERR no such collection 'no'; create it with RECO.CREATE or RECO.ADD"
WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


def config(client, key="shop", pattern="*"):
    return text(as_map(client.cmd("RECO.CONFIG", key, "GET", pattern)))


@reco_only
class Create(reco_e2e.ServerTest):
    def test_answers_whether_it_created(self):
        client = self.client()
        self.assertEqual(1, client.cmd("RECO.CREATE", "shop", "DIM", 8))
        self.assertEqual(0, client.cmd("RECO.CREATE", "shop", "DIM", 8))
        self.assertIs(True, self.client(protocol=3).cmd("RECO.CREATE", "other"))
        self.assertEqual("reco", client.cmd("TYPE", "shop"))

    def test_sets_every_parameter(self):
        client = self.client()
        client.cmd("RECO.CREATE", "shop", "dim", 8, "Alpha", "2.5", "REG", "0.5", "REGN", "0.25",
                   "UNOBSERVED", "0.125", "ITERATIONS", 3, "SEED", 7, "TYPE", "View", "0.5",
                   "TYPE", "buy", 3, "RETRAIN", "EVERY", 1000, "retrain", "interval", 60,
                   "TOLERANCE", "0.01", "WARM-START", "YES", "RECENCY", "0.9", "HALFLIFE", 60,
                   "WEIGHTING", "LOG", "FEEDBACK", "IMPLICIT", "FOLDIN", "USERS",
                   "NEIGHBOURS", "SESSIONS",
                   "ATTRFEATURES", "genre,Brand", "Attribute-Types", 'price:number,"a b":text')
        self.assertEqual({"dim": "8", "alpha": "2.5", "reg": "0.5", "regn": "0.25",
                          "unobserved": "0.125", "iterations": "3", "seed": "7",
                          "type.View": "0.5", "type.buy": "3", "retrain-every": "1000",
                          "retrain-interval": "60", "tolerance": "0.01", "warm-start": "yes",
                          "recency": "0.9", "halflife": "60", "weighting": "log",
                          "feedback": "implicit", "foldin": "users", "neighbours": "sessions",
                          "attrfeatures": "genre,Brand",
                          "attribute-types": 'price:number,"a b":text'}, config(client))

    def test_defaults(self):
        client = self.client()
        client.cmd("RECO.CREATE", "shop", "UNOBSERVED", "auto")
        client.cmd("RECO.ADD", "other", "ann", "lamp")
        self.assertEqual(config(client), config(client, "other"))
        self.assertEqual("64", config(client)["dim"])
        self.assertEqual("auto", config(client)["unobserved"])

    def test_a_different_fixed_parameter_is_refused_with_both_values(self):
        client = self.client()
        client.cmd("RECO.CREATE", "shop", "DIM", 8)
        message = client.error("RECO.CREATE", "shop", "DIM", 16)
        self.assertRegex(message, r"^ERR .*\b8\b.*\b16\b")
        self.assertEqual("8", config(client)["dim"])

    def test_bad_options_create_nothing(self):
        client = self.client()
        for options, message in [
                (("NOSUCH", 1), SYNTAX), (("DIM",), SYNTAX), (("DIM", 8, "dim", 8), SYNTAX),
                (("TYPE", "buy"), SYNTAX), (("TYPE", "buy", 1, "TYPE", "buy", 2), SYNTAX),
                (("RETRAIN",), SYNTAX), (("RETRAIN", "NOSUCH", 1), SYNTAX),
                (("RETRAIN", "EVERY"), SYNTAX),
                (("RETRAIN", "EVERY", 1, "RETRAIN", "EVERY", 2), SYNTAX),
                (("DIM", 0), "ERR dim must be"), (("DIM", 513), "ERR dim must be"),
                (("DIM", -1), "ERR dim must be"), (("DIM", "8.5"), "ERR dim must be"),
                (("DIM", "0x10"), "ERR dim must be"), (("DIM", " 8"), "ERR dim must be"),
                (("DIM", "99999999999999999999"), "ERR dim must be"),
                (("ALPHA", "nan"), "ERR alpha must be"), (("ALPHA", "inf"), "ERR alpha must be"),
                (("ALPHA", "1e400"), "ERR alpha must be"), (("ALPHA", 0), "ERR alpha must be"),
                (("REG", 0), "ERR reg must be"), (("REGN", "-1"), "ERR regn must be"),
                (("UNOBSERVED", "none"), "ERR unobserved must be"),
                (("ITERATIONS", 1001), "ERR iterations must be"),
                (("TYPE", "", 1), "ERR name of a feedback type must be"),
                (("TYPE", "x" * 65, 1), "ERR name of a feedback type must be"),
                (("TYPE", "buy", "nan"), "ERR type.buy must be")]:
            with self.subTest(options=options):
                error = client.error("RECO.CREATE", "shop", *options)
                self.assertEqual(message, error[:len(message)])
                self.assertEqual(0, client.cmd("EXISTS", "shop"))

    def test_a_string_is_not_replaced(self):
        client = self.client()
        client.cmd("SET", "k", "one")
        self.assertEqual(WRONGTYPE, client.error("RECO.CREATE", "k"))
        self.assertEqual(b"one", client.cmd("GET", "k"))


@reco_only
class Config(reco_e2e.ServerTest):
    def setUp(self):
        super().setUp()
        self.connection = self.client()
        self.connection.cmd("RECO.CREATE", "shop", "DIM", 8, "TYPE", "buy", 3)

    def test_get_takes_a_pattern(self):
        self.assertEqual({"reg": "0.1", "regn": "0.05"}, config(self.connection, pattern="REG*"))
        self.assertEqual({}, config(self.connection, pattern="nosuch"))
        self.assertIsInstance(self.client(protocol=3).cmd("RECO.CONFIG", "shop", "GET", "*"), dict)

    def test_other_actions_are_syntax_errors(self):
        for args in [("shop", "DROP", "x"), ("shop", "GET", "a", "b"), ("shop", "SET", "alpha")]:
            with self.subTest(args=args):
                self.assertEqual(SYNTAX, self.connection.error("RECO.CONFIG", *args))

    def test_set_says_when_it_takes_effect(self):
        self.assertEqual("OK", self.connection.cmd("RECO.CONFIG", "shop", "SET", "retrain-every",
                                                   "500"))
        self.assertEqual("OK, takes effect at the next RECO.RETRAIN",
                         self.connection.cmd("RECO.CONFIG", "shop", "SET", "ALPHA", "2",
                                             "retrain-every", "600"))
        after = config(self.connection)
        self.assertEqual(("2", "600"), (after["alpha"], after["retrain-every"]))

    def test_set_adds_and_changes_types_whose_names_keep_their_case(self):
        self.connection.cmd("RECO.CONFIG", "shop", "SET", "TYPE.View", "0.5", "type.buy", "4")
        self.assertEqual({"type.buy": "4", "type.View": "0.5"},
                         config(self.connection, pattern="type.*"))
        self.connection.cmd("RECO.ADD", "shop", "ann", "lamp", "TYPE", "View")
        self.assertEqual([b"0.5"], self.connection.cmd("RECO.PREF", "shop", "ann", "lamp"))

    def test_a_refused_set_changes_nothing(self):
        before = config(self.connection)
        for args, message in [
                (("alpha", "2", "nosuch", "1"), "ERR unknown parameter 'nosuch'"),
                (("alpha", "2", "dim", "16"), "ERR dim is 8 and cannot change to 16"),
                (("alpha", "2", "reg", "nan"), "ERR reg must be"),
                (("alpha", "2", "ALPHA", "3"), SYNTAX), (("alpha", "2", "reg"), SYNTAX)]:
            with self.subTest(args=args):
                error = self.connection.error("RECO.CONFIG", "shop", "SET", *args)
                self.assertEqual(message, error[:len(message)])
                self.assertEqual(before, config(self.connection))

    def test_missing_collection_and_wrong_type(self):
        self.connection.cmd("SET", "k", "one")
        for args in [("%s", "GET", "*"), ("%s", "SET", "alpha", "2")]:
            for key, message in (("no", MISSING), ("k", WRONGTYPE)):
                with self.subTest(args=args, key=key):
                    self.assertEqual(message, self.connection.error(
                        "RECO.CONFIG", *(key if arg == "%s" else arg for arg in args)))
        self.assertEqual(0, self.connection.cmd("EXISTS", "no"))

    def test_attribute_types_are_checked_and_kept(self):
        def get():
            return config(self.connection, pattern="attribute-types")["attribute-types"]

        self.assertEqual("OK", self.connection.cmd("RECO.CONFIG", "shop", "SET", "attribute-types",
                                                   'price:number,"code":text'))
        self.assertEqual("price:number,code:text", get())
        for bad in ("price", "price:float", "a:text,a:text", "n" * 8192 + ":text"):
            self.assertIn("ERR attribute-types must be name:type pairs", self.connection.error(
                "RECO.CONFIG", "shop", "SET", "attribute-types", bad))
        self.server.stop()
        self.server.start()
        self.connection = self.client()
        self.assertEqual("price:number,code:text", get())
        self.connection.cmd("RECO.CONFIG", "shop", "SET", "attribute-types", "")
        self.assertEqual("", get())

    def test_parameters_survive_a_kill(self):
        self.connection.cmd("RECO.CONFIG", "shop", "SET", "alpha", "2", "type.View", "0.5")
        before = config(self.connection)
        self.server.kill9()
        self.server.start()
        self.assertEqual(before, config(self.client()))


@reco_only
class Info(reco_e2e.ServerTest):
    def test_counts_follow_the_writes(self):
        client = self.client()
        client.cmd("RECO.CREATE", "shop", "DIM", 8)
        info = as_map(client.cmd("RECO.INFO", "shop"))
        self.assertEqual([0] * 6, [info[name] for name in (
            "users", "items", "interactions", "events", "model-id", "rows-pending")])
        self.assertEqual(8, info["dim"])
        client.cmd("RECO.MADD", "shop", "ann", "lamp", 1, "ann", "lamp", 2, "bob", "desk", 1)
        info = as_map(client.cmd("RECO.INFO", "shop"))
        self.assertEqual([2, 2, 2, 3, 3], [info[name] for name in (
            "users", "items", "interactions", "events", "last-seq")])
        self.assertEqual(config(client), text(as_map(info["parameters"])))
        self.assertEqual([], info["jobs"])

    def test_the_id_is_of_one_collection_alone(self):
        def identity(key="shop"):
            return as_map(self.client().cmd("RECO.INFO", key))["collection-id"]

        client = self.client()
        seen = []

        def renew(*forget):
            for command in forget:
                client.cmd(*command)
            client.cmd("RECO.ADD", "shop", "ann", "lamp")
            self.assertNotIn(identity(), seen)
            seen.append(identity())

        renew()
        client.cmd("RECO.ADD", "shop", "ann", "desk")  # a write changes nothing of it
        self.assertEqual(seen[-1], identity())
        client.cmd("RENAME", "shop", "store")
        self.assertEqual(seen[-1], identity("store"))
        renew()  # under the old name
        client.cmd("RENAME", "store", "shop")  # in place of it
        self.assertEqual(seen[0], identity())
        renew(("DEL", "shop"))
        renew(("FLUSHALL",))
        renew(("FLUSHDB",))
        renew(("SET", "shop", "a string"), ("DEL", "shop"))
        renew(("PEXPIREAT", "shop", 1))
        for stop in (self.server.stop, self.server.kill9):
            client.cmd("FLUSHALL")  # the newest collection is gone when the server starts
            client.close()
            stop()
            self.server.start()
            client = self.client()
            renew()
            client.close()
            stop()
            self.server.start()
            client = self.client()
            self.assertEqual(seen[-1], identity())
        self.assertEqual(len(seen), len(set(seen)))
        self.assertTrue(all(isinstance(number, int) and number > 0 for number in seen))

    def test_is_a_map_of_typed_values(self):
        client = self.client(protocol=3)
        client.cmd("RECO.ADD", "shop", "ann", "lamp")
        info = as_map(client.cmd("RECO.INFO", "shop"))
        self.assertIsInstance(info["gram-drift"], float)
        self.assertIsInstance(info["quality"], dict)
        self.assertTrue(info["memory"])
        self.assertTrue(all(isinstance(size, int) for size in info["memory"].values()))
        for name in info:
            self.assertRegex(name, r"^[a-z]+(-[a-z]+)*$")

    def test_missing_collection_and_wrong_type(self):
        client = self.client()
        client.cmd("SET", "k", "one")
        self.assertEqual(MISSING, client.error("RECO.INFO", "no"))
        self.assertEqual(WRONGTYPE, client.error("RECO.INFO", "k"))


if __name__ == "__main__":
    unittest.main()
