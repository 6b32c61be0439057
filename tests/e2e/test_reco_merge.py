"""RECO.ITEM MERGE and RECO.USER MERGE: JSON merge patches on stored attributes."""
import json
import random
import threading
import unittest

import reco_e2e
from reco_e2e import as_map, reco_only

SYNTAX = "ERR syntax error"
SIDES = ("ITEM", "USER")
ATTRIBUTES_MAX = 65_536


def merged(target, patch):
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def with_order(value):
    """`value` with its objects as lists of pairs, so that == also compares their order."""
    if isinstance(value, dict):
        return [(name, with_order(member)) for name, member in value.items()]
    return [with_order(member) for member in value] if isinstance(value, list) else value


def random_value(rng, depth):
    kind = rng.randrange(8 if depth < 4 else 5)
    if kind >= 5:
        return {random_name(rng): random_value(rng, depth + 1) for _ in range(rng.randrange(5))}
    if kind == 4:
        return [random_value(rng, depth + 2) for _ in range(rng.randrange(3))] if depth < 4 else []
    return rng.choice([None, True, False, rng.randrange(-9, 9), rng.random() * 1e9,
                       "text", 'q"\\/{}[],:', "\u00e9\u20ac\U0001f600\n\x01", ""])


def random_name(rng):
    return rng.choice(["a", "b", "c", "d", "", "\u00e9", "\U0001f600", 'x"\\', "\n", "a b"])


def random_text(rng, value):
    """`value` as JSON text, with the names of objects now plain, now escaped."""
    return json.dumps(value, ensure_ascii=rng.random() < 0.5,
                      separators=rng.choice([(",", ":"), (", ", ": "), (" ,\n", "\t: ")]))


@reco_only
class Merge(reco_e2e.ServerTest):
    def attributes(self, name="a", side="ITEM"):
        record = self.client().cmd("RECO." + side, "GET", "shop", name)
        return as_map(record)["attributes"].decode()

    def test_changes_what_the_patch_names_and_keeps_the_rest(self):
        client = self.client()
        for side in SIDES:
            with self.subTest(side=side):
                command = "RECO." + side
                client.cmd(command, "SET", "shop", "a", "HIDDEN", 1, "EXPIREAT", 32503680000000,
                           "ATTRS", '{"title":"Lamp","price":1.10,"id":123456789012345678,'
                                    '"size":{"w":1,"h":2}}')
                self.assertEqual(0, client.cmd(command, "merge", "shop", "a", "attrs",
                                               '{"price":9,"size":{"h":null,"d":3},"new":[null]}'))
                record = as_map(client.cmd(command, "GET", "shop", "a"))
                self.assertEqual(
                    [b'{"title":"Lamp","price":9,"id":123456789012345678,'
                     b'"size":{"w":1,"d":3},"new":[null]}', 1, 32503680000000],
                    list(record.values())[:3])
                client.cmd(command, "MERGE", "shop", "a", "ATTRS",
                           '{"title":null,"price":null,"size":null,"new":null}')
                self.assertEqual('{"id":123456789012345678}', self.attributes(side=side))

    def test_a_missing_record_is_made(self):
        client = self.client()
        for side in SIDES:
            with self.subTest(side=side):
                command = "RECO." + side
                self.assertEqual(1, client.cmd(command, "MERGE", "shop", "a", "ATTRS",
                                               '{"n":1,"gone":null,"o":{"gone":null}}'))
                self.assertEqual('{"n":1,"o":{}}', self.attributes(side=side))
                self.assertEqual(1, client.cmd(command, "COUNT", "shop"))
        # One that only an interaction has made known has no attributes yet.
        client.cmd("RECO.ADD", "shop", "ann", "lamp")
        self.assertEqual(0, client.cmd("RECO.ITEM", "MERGE", "shop", "lamp", "ATTRS", '{"n":1}'))
        self.assertEqual('{"n":1}', self.attributes("lamp"))
        self.assertIs(True, self.client(protocol=3).cmd("RECO.ITEM", "MERGE", "other", "a",
                                                        "ATTRS", "{}"))

    def test_filters_follow(self):
        client = self.client()
        for item in "ab":
            client.cmd("RECO.ADD", "shop", "ann", item)
            client.cmd("RECO.ITEM", "SET", "shop", item, "ATTRS", '{"kind":"x","price":1}')

        def listed():
            return client.cmd("RECO.POPULAR", "shop", "FILTER", '.kind == "x" and .price > 5')

        self.assertEqual([], listed())
        client.cmd("RECO.ITEM", "MERGE", "shop", "b", "ATTRS", '{"price":9}')
        self.assertEqual([b"b"], listed())
        client.cmd("RECO.ITEM", "MERGE", "shop", "b", "ATTRS", '{"kind":null}')
        self.assertEqual([], listed())

    def test_what_is_refused_changes_nothing(self):
        client = self.client()
        half = '"x":"' + "x" * (ATTRIBUTES_MAX // 2) + '"'
        client.cmd("RECO.ITEM", "SET", "shop", "a", "ATTRS", "{" + half + "}")
        deep = '{"a":' * 65 + "1" + "}" * 65
        for args, message in [
                (("a", "ATTRS", "[]"), "ERR ATTRS must be a JSON object"),
                (("a", "ATTRS", "null"), "ERR ATTRS must be a JSON object"),
                (("a", "ATTRS", '{"a":}'), "ERR ATTRS must be a JSON object"),
                (("a", "ATTRS", b'{"a":"\xff"}'), "ERR ATTRS must be a JSON object"),
                (("a", "ATTRS", deep), "ERR ATTRS must be a JSON object"),
                (("a", "HIDDEN", "1"), SYNTAX), (("a", "{}", "ATTRS"), SYNTAX),
                (("a", "ATTRS", '{"y":"' + "y" * ATTRIBUTES_MAX + '"}'), "ERR ATTRS must be"),
                (("a", "ATTRS", half.replace("x", "y").join("{}")),
                 "ERR attributes must be at most 65536 bytes long, not"),
                (("", "ATTRS", "{}"), "ERR item id must be"),
                (("i" * 513, "ATTRS", "{}"), "ERR item id must be")]:
            with self.subTest(args=[str(arg)[:40] for arg in args]):
                error = client.error("RECO.ITEM", "MERGE", "shop", *args)
                self.assertEqual(message, error[:len(message)])
                self.assertEqual("{" + half + "}", self.attributes())
        for args in [("a",), ("a", "ATTRS"), ("a", "ATTRS", "{}", "HIDDEN", "1")]:
            self.assertIn("wrong number of arguments",
                          client.error("RECO.ITEM", "MERGE", "shop", *args))
        client.cmd("SET", "k", "one")
        self.assertTrue(client.error("RECO.ITEM", "MERGE", "k", "a", "ATTRS", "{}")
                        .startswith("WRONGTYPE"))
        client.error("RECO.ITEM", "MERGE", "no", "a", "ATTRS", "[]")
        self.assertEqual(0, client.cmd("EXISTS", "no"))

    def test_the_result_may_be_as_long_as_a_value_that_is_set(self):
        client = self.client()
        for room in (0, 1):
            value = "y" * (ATTRIBUTES_MAX - len('{"a":1,"b":""}') + room)
            client.cmd("RECO.ITEM", "SET", "shop", "a", "ATTRS", '{"a":1}')
            patch = '{"b":"%s"}' % value
            if room == 0:
                client.cmd("RECO.ITEM", "MERGE", "shop", "a", "ATTRS", patch)
                self.assertEqual(ATTRIBUTES_MAX, len(self.attributes()))
            else:
                self.assertIn("not 65537",
                              client.error("RECO.ITEM", "MERGE", "shop", "a", "ATTRS", patch))

    def test_random_patches_against_the_reference(self):
        client = self.client()
        rng = random.Random(7396)
        for case in range(400):
            target = {random_name(rng): random_value(rng, 1) for _ in range(rng.randrange(6))}
            first = random_text(rng, target)
            client.cmd("RECO.ITEM", "SET", "shop", "a", "ATTRS", first)
            for _ in range(3):
                patch = {random_name(rng): random_value(rng, 1) for _ in range(rng.randrange(6))}
                second = random_text(rng, patch)
                client.cmd("RECO.ITEM", "MERGE", "shop", "a", "ATTRS", second)
                target = merged(target, patch)
                self.assertEqual(with_order(target), with_order(json.loads(self.attributes())),
                                 (case, first, second))

    def test_merges_of_many_connections_do_not_undo_each_other(self):
        writers, rounds = 4, 100

        def write(number):
            with self.client() as client:
                for n in range(rounds):
                    client.cmd("RECO.ITEM", "MERGE", "shop", "a", "ATTRS",
                               json.dumps({f"w{number}": n, f"w{number}-{n}": number}))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expected = {f"w{number}": rounds - 1 for number in range(writers)}
        expected.update({f"w{number}-{n}": number for number in range(writers)
                         for n in range(rounds)})
        self.assertEqual(expected, json.loads(self.attributes()))

    def test_survives_a_kill(self):
        client = self.client()
        client.cmd("RECO.ITEM", "SET", "shop", "a", "ATTRS", '{"x":1,"y":1.10}')
        client.cmd("RECO.ITEM", "MERGE", "shop", "a", "ATTRS", '{"x":2}')
        client.cmd("RECO.USER", "MERGE", "shop", "u", "ATTRS", '{"z":3}')
        self.server.kill9()
        self.server.start()
        self.assertEqual('{"x":2,"y":1.10}', self.attributes())
        self.assertEqual('{"z":3}', self.attributes("u", side="USER"))


if __name__ == "__main__":
    unittest.main()
