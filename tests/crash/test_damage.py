"""Folders are damaged at random, and no answer may change in silence.

What the server refuses, --salvage must copy to a folder that opens and that --check finds whole,
and neither may change a byte of the folder.

A seeded program makes folders whose answers are known: stopped, killed with -9 and idle before,
killed within a stream of writes, killed within a write and again. A case copies one, damages one
file of it (a flipped byte, an end cut off, a file removed, bytes behind its end, an older copy of
it), and asks twice: the server, which must refuse the folder, or answer as before, or answer an
error in place of a reply that is lost; and --check, which must end with 1 and name the file
wherever the server did anything but answer as before.

RECO_DAMAGE_CASES (default 40) cases, drawn by RECO_DAMAGE_SEED (default 4711; 0: another one each
time, which is printed); RECO_DAMAGE_CASE=N is its one case N.
"""
import collections
import hashlib
import os
import random
import re
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import reco_e2e  # noqa: E402

CASES = int(os.environ.get("RECO_DAMAGE_CASES", "40"))
SEED = int(os.environ.get("RECO_DAMAGE_SEED", "4711")) or random.SystemRandom().randrange(1, 2**32)
ONLY = int(os.environ.get("RECO_DAMAGE_CASE", "-1"))
INVENTORY_S = 60  # at most behind the last write; about a second where the machine is idle
USERS, ITEMS, STRINGS, TOKENS = 25, 40, 120, 60


class Shop:
    """The stream of writes, by which the folders differ only in where it ends."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.tokens = 0

    def create(self, client):
        # Not by age, which is another one at each answer.
        client.cmd("RECO.CREATE", "shop", "DIM", 8, "ITERATIONS", 3, "RECENCY", "0.98")
        client.cmd("RECO.CREATE", "films", "DIM", 4, "FEEDBACK", "EXPLICIT")

    def events(self, client, count):
        draw = self.draw
        for _ in range(count):
            user, item = f"u{draw.randrange(USERS)}", f"i{draw.randrange(ITEMS)}"
            kind = draw.random()
            if kind < 0.1:
                client.cmd("RECO.SET", "films", user, item, draw.randrange(1, 6))
            elif kind < 0.15:
                client.cmd("RECO.ITEM", "SET", "shop", item, "ATTRS",
                           '{"year": %d}' % draw.randrange(1950, 2020))
            elif kind < 0.2:
                client.cmd("RECO.REM", "shop", user, item)
            elif kind < 0.3:
                client.cmd("RECO.ADD", "shop", user, item, 1, "ID", f"token{self.tokens}")
                self.tokens += 1
            else:
                client.cmd("RECO.ADD", "shop", user, item, draw.choice((1, 2, 0.5)))

    def strings(self, client, count, size=40):
        for _ in range(count):
            client.cmd("SET", f"s{self.draw.randrange(STRINGS)}",
                       "%x" % self.draw.getrandbits(4 * size))

    def pad(self, client, kilobytes):
        """Strings large enough that tables are written."""
        for number in range(kilobytes // 16):
            client.cmd("SET", f"pad{number}", "%x" % self.draw.getrandbits(4 * 16384))


def questions():
    asked = [("DBSIZE",), ("GET", "last")]
    asked += [("GET", f"s{n}") for n in range(STRINGS)]
    asked += [("STRLEN", f"pad{n}") for n in range(200)]
    items = [f"i{n}" for n in range(ITEMS)]
    for number in range(USERS):
        user = f"u{number}"
        asked += [("RECO.PREF", "shop", user, *items), ("RECO.PREF", "films", user, *items),
                  ("RECO.HISTORY", "shop", user, "COUNT", 100, "WITHSCORES"),
                  ("RECO.TOPK", "shop", user, "COUNT", 30, "WITHSCORES")]
    asked += [("RECO.ITEM", "GET", "shop", item) for item in items]
    asked += [("RECO.AUDIENCE", "shop", item, "COUNT", 50, "WITHSCORES") for item in items]
    # Last, since a token that is lost would be an event.
    asked += [("RECO.ADD", "shop", "u0", "i0", 1, "ID", f"token{n}") for n in range(TOKENS)]
    return asked


QUESTIONS = questions()


def ask(server):
    with server.client() as client:
        return client.pipeline(QUESTIONS)


def start(folder):
    return reco_e2e.Server(directory=folder, appendfsync="always", write_buffer_bytes=1 << 20)


def make_stopped(folder, shop):
    """Tables of several flushes, a model, and a log that a clean stop left. Returns nothing that
    may be lost."""
    with start(folder) as server:
        client = server.client()
        shop.create(client)
        for _ in range(3):
            shop.events(client, 150)
            shop.pad(client, 1600)
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        shop.strings(client, 50)
        server.stop()
        save_older(folder)
        server.start()
        shop.strings(server.client(), 150)
        server.stop()
    return ()


def make_killed(folder, shop):
    """Several tables, and a log with much in it, idle before the kill."""
    with start(folder) as server:
        client = server.client()
        shop.create(client)
        shop.events(client, 300)
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        shop.pad(client, 2000)
        await_inventory(folder)
        save_older(folder)
        shop.events(client, 200)
        shop.strings(client, 100)
        await_inventory(folder)
        server.kill9()
    return ()


def make_busy(folder, shop):
    """Killed behind its last write, with no inventory since the start. What was written last has
    nothing behind it that says that it was synced."""
    with start(folder) as server:
        shop.create(server.client())
        shop.events(server.client(), 200)
        shop.pad(server.client(), 1200)
        server.stop()
        save_older(folder)
        server.start()
        client = server.client()
        shop.events(client, 200)
        shop.strings(client, 60)
        client.cmd("SET", "last", "one")
        server.kill9()
    return (("GET", "last"), ("DBSIZE",))


def make_torn(folder, shop):
    """Killed within a write, opened, and killed again: the log begins with a batch of RocksDB's."""
    with start(folder) as server:
        shop.create(server.client())
        shop.events(server.client(), 200)
        shop.pad(server.client(), 1200)
        server.kill9()
        with open(newest_log(folder), "r+b") as log:
            begin_of_a_record = log.read(20)
            log.seek(0, os.SEEK_END)
            log.write(begin_of_a_record)
        save_older(folder)
        server.start()
        shop.events(server.client(), 100)
        shop.strings(server.client(), 60)
        await_inventory(folder)
        server.kill9()
    return ()


# Of the last seconds in front of a kill nothing says how long the log was.
CUT = ("cut", "replace")

MAKERS = {"stopped": make_stopped, "killed": make_killed, "busy": make_busy, "torn": make_torn}


def older_of(folder):
    return folder + ".older"


def await_inventory(folder):
    """Returns once the inventory has all of the newest log."""
    def is_told():
        log = newest_log(folder)
        line = f"log {number_of(log)} {os.path.getsize(log)}\n"
        with open(os.path.join(folder, "INVENTORY"), encoding="ascii") as file:
            return line in file.readlines()

    reco_e2e.eventually(is_told, INVENTORY_S)


def number_of(log):
    return int(os.path.basename(log).split(".")[0])


def newest_log(folder):
    logs = (name for name in os.listdir(folder) if re.fullmatch(r"\d+\.log", name))
    return os.path.join(folder, max(logs, key=number_of))


def save_older(folder):
    shutil.copytree(folder, older_of(folder))


def older_copies(folder, name):
    """Files that stood in the place of `name` before."""
    older = os.listdir(older_of(folder))
    if re.fullmatch(r"\d+\.(log|sst)", name):
        return [n for n in older if n.endswith(name[-4:])]
    return [n for n in older if n.split("-")[0] == name.split("-")[0]]


def damage(draw, healthy, folder):
    """Damages one file; returns (its name, what was done)."""
    # Kinds of files first, since most of them are tables.
    kinds = collections.defaultdict(list)
    for name in sorted(os.listdir(folder)):
        kinds[re.sub(r"\d+", "", name)].append(name)
    weights = {".log": 6, "MANIFEST-": 5, ".sst": 4, "CURRENT": 1, "INVENTORY": 1}
    kind = draw.choices(sorted(kinds), [weights.get(k, 0.3) for k in sorted(kinds)])[0]
    name = draw.choice(kinds[kind])
    path = os.path.join(folder, name)
    size = os.path.getsize(path)
    how = draw.choice(("flip", "flip", "flip", "cut", "cut", "remove", "extend", "older"))
    if how == "flip" and size:
        at = draw.randrange(size)
        with open(path, "r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ (1 << draw.randrange(8))]))
        return name, f"flip a bit of byte {at} of {size}"
    if how == "cut" and size:
        left = max(0, size - draw.choice((1, 1, 7, draw.randrange(1, size + 1))))
        os.truncate(path, left)
        return name, f"cut {size} bytes to {left}"
    if how == "extend":
        with open(path, "r+b") as file:
            more = draw.choice((bytes(100), draw.randbytes(100), file.read(50000)))
            file.seek(size)
            file.write(more)
        return name, f"extend {size} bytes by {len(more)}"
    older = older_copies(healthy, name)
    if how == "older" and older:
        source = draw.choice(older)
        shutil.copy(os.path.join(older_of(healthy), source), path)
        return name, f"replace by an older {source}"
    os.remove(path)
    return name, "remove"


def contents(folder):
    """Name -> checksum of all files; a server makes a LOCK where there is none."""
    found = {}
    for name in os.listdir(folder):
        if name != "LOCK":
            with open(os.path.join(folder, name), "rb") as file:
                found[name] = hashlib.sha256(file.read()).digest()
    return found


class Damage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="reco-damage-")
        cls.addClassCleanup(shutil.rmtree, cls.base)
        cls.folders = {}
        for number, (kind, make) in enumerate(MAKERS.items()):
            folder = os.path.join(cls.base, kind)
            may_change = make(folder, Shop(SEED + number))
            code, output = reco_e2e.run_server("--check", "--dir", folder)
            assert code == 0, output
            copy = os.path.join(cls.base, "answers")
            shutil.copytree(folder, copy)
            with start(copy) as server:
                cls.folders[kind] = (folder, ask(server), may_change)
                server.kill9()
            shutil.rmtree(copy)

    def answers(self, folder):
        """What the server answers; None where it refuses the folder, with its output."""
        try:
            with start(folder) as server:
                try:
                    replies = ask(server)
                    return replies, server.output()
                finally:
                    server.kill9()
        except reco_e2e.StartFailed as failure:
            self.assertEqual(1, failure.code, failure.output)
            return None, failure.output

    def salvage(self, folder, case):
        """Adds how many keys the copy has of those that were there."""
        copy = folder + ".salvaged"
        code, output = reco_e2e.run_server("--salvage", "--dir", folder)
        self.assertEqual(0, code, f"{case}\n{output}")
        try:
            self.assertIn("damaged: ", output, case)
            code, checked = reco_e2e.run_server("--check", "--dir", copy)
            self.assertEqual(0, code, f"{case}\n{output}\n{checked}")
            with start(copy) as server:
                kept = server.client().cmd("DBSIZE")
                self.assertEqual(f" {kept} keys", re.search(r" \d+ keys", output)[0], case)
                server.kill9()
            self.kept.append(kept)
        finally:
            shutil.rmtree(copy)

    def run_case(self, number, outcomes):
        draw = random.Random(SEED * 1000 + number)
        kind = draw.choice(sorted(self.folders))
        healthy, expected, may_change = self.folders[kind]
        folder = os.path.join(self.base, "damaged")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(healthy, folder)
        name, what = damage(draw, healthy, folder)
        before = contents(folder)
        case = f"case {number}: {kind}: {name}: {what}"
        code, checked = reco_e2e.run_server("--check", "--dir", folder)
        replies, output = self.answers(folder)
        self.assertNotIn("terminate called", checked + output, case)
        if replies is None:
            outcomes["refused"] += 1
            self.assertEqual(1, code, f"{case}\nrefused, and --check is content:\n{checked}")
            # Of a row that cannot be read RocksDB may tell the family alone; --check has more.
            self.assertTrue(name in output or (name.endswith(".sst") and "family " in output),
                            f"{case}\nthe refusal does not name the file: {output}")
            self.assertIn(name, checked, case)
            self.salvage(folder, case)
            if not name.endswith(".sst"):  # whose blocks are read once the folder is open
                self.assertEqual(before, contents(folder), f"{case}\nchanged, and refused")
            return
        if kind == "busy" and name.endswith(".log") and what.startswith(CUT):
            outcomes["an end cut off as by a kill"] += 1
            return
        changed = [(question, then, now)
                   for question, then, now in zip(QUESTIONS, expected, replies)
                   if then != now and question not in may_change]
        silent = [change for change in changed if not isinstance(change[2], reco_e2e.RespError)]
        if silent:
            self.fail(f"{case}\nanswers otherwise in silence: {silent[:3]}\n{output}\n"
                      f"--check: {code} {checked}")
        outcomes["an error named" if changed else "harmless"] += 1
        if changed:
            self.assertEqual(1, code, f"{case}\n{changed[0]}, and --check is content:\n{checked}")
            self.assertIn(name, checked, case)

    def test_no_damage_changes_an_answer_in_silence(self):
        outcomes = collections.Counter()
        self.kept = []
        for number in range(CASES) if ONLY < 0 else [ONLY]:
            with self.subTest(case=number):
                self.run_case(number, outcomes)
        print(f"{CASES} damages: {dict(outcomes)}; keys in salvaged copies: {sorted(self.kept)}",
              file=sys.stderr)


if __name__ == "__main__":
    print(f"RECO_DAMAGE_SEED={SEED}", file=sys.stderr)
    unittest.main()
