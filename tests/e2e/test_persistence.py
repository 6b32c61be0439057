"""What was acknowledged is there after any stop: clean, kill -9, and damage is found and named."""
import os
import random
import shutil
import subprocess
import tempfile
import unittest

import reco_e2e
from reco_e2e import as_map, reco_only


# redis-server itself may lose a second's writes to kill -9 unless it syncs always.
POLICIES = ("always",) if reco_e2e.ON_REDIS else ("always", "everysec", "no")


def check(directory):
    """Runs the offline verification; returns (exit code, output)."""
    return reco_e2e.run_server("--check", "--dir", directory, timeout_s=120)


class Keys(unittest.TestCase):
    def test_strings_and_expiries_survive_kill_and_stop(self):
        for policy in POLICIES:
            with self.subTest(policy=policy), reco_e2e.Server(appendfsync=policy) as server:
                client = server.client()
                client.cmd("SET", "plain", b"\x00\xff\r\n")
                client.cmd("SET", "empty", "")
                client.cmd("SET", "expiring", "v", "EX", 5000)
                client.cmd("SET", "gone", "v")
                client.cmd("DEL", "gone")
                client.cmd("SELECT", 7)
                client.cmd("SET", "seven", "7")
                at = client.cmd("SELECT", 0) and client.cmd("PEXPIRETIME", "expiring")
                for end in (server.kill9, server.stop):
                    end()
                    server.start()
                    client = server.client()
                    self.assertEqual(b"\x00\xff\r\n", client.cmd("GET", "plain"))
                    self.assertEqual(b"", client.cmd("GET", "empty"))
                    self.assertEqual(at, client.cmd("PEXPIRETIME", "expiring"))
                    self.assertIsNone(client.cmd("GET", "gone"))
                    self.assertEqual(3, client.cmd("DBSIZE"))
                    self.assertEqual(b"7", server.client(db=7).cmd("GET", "seven"))

    def test_a_key_that_expired_while_stopped_is_gone(self):
        with reco_e2e.Server() as server:
            client = server.client()
            client.cmd("SET", "short", "v", "PX", 50)
            client.cmd("SET", "long", "v")
            server.stop()
            server.start()
            client = server.client()
            reco_e2e.eventually(lambda: client.cmd("GET", "short") is None)
            self.assertEqual([b"long"], client.cmd("KEYS", "*"))

    def test_flushed_renamed_and_overwritten_keys_stay_so(self):
        with reco_e2e.Server(appendfsync="always") as server:
            client = server.client()
            client.cmd("SET", "old", "1")
            client.cmd("FLUSHALL")
            client.cmd("SET", "a", "1")
            client.cmd("RENAME", "a", "b")
            client.cmd("SET", "b", "2", "EX", 1000)
            client.cmd("PERSIST", "b")
            server.kill9()
            server.start()
            client = server.client()
            self.assertEqual([b"b"], client.cmd("KEYS", "*"))
            self.assertEqual([b"2", -1], [client.cmd("GET", "b"), client.cmd("TTL", "b")])


def add_clicks(client, seed, count, users=60, items=80):
    """Adds `count` interactions at random; returns the sequence numbers answered."""
    draw = random.Random(seed)
    return client.pipeline([
        ("RECO.ADD", "shop", f"user{draw.randrange(users)}", f"item{draw.randrange(items)}",
         draw.choice((1, 2, 0.5, -1))) for _ in range(count)])


def picture(client, users=60):
    """What clients see of the collection: lists, histories, preferences, scores and records."""
    seen = {"popular": client.cmd("RECO.POPULAR", "shop", "COUNT", 100, "WITHSCORES")}
    for user in (f"user{n}" for n in range(users)):
        seen[user] = [client.cmd("RECO.TOPK", "shop", user, "COUNT", 20, "WITHSCORES"),
                      client.cmd("RECO.HISTORY", "shop", user, "COUNT", 100, "WITHSCORES"),
                      client.cmd("RECO.PREF", "shop", user, "item1", "item2", "item3"),
                      client.cmd("RECO.USER", "GET", "shop", user)]
    seen["item"] = client.cmd("RECO.ITEM", "GET", "shop", "item1")
    seen["vector"] = client.cmd("RECO.VECTOR", "GET", "shop", "ITEM", "item1")
    return seen


@reco_only
class Collections(unittest.TestCase):
    def setUp(self):
        self.server = reco_e2e.Server()
        self.addCleanup(self.server.close)
        client = self.server.client()
        client.cmd("RECO.CREATE", "shop", "DIM", 16, "TYPE", "buy", 3)
        client.cmd("RECO.ITEM", "SET", "shop", "item1", "ATTRS", '{"title":"one"}')
        client.cmd("RECO.USER", "SET", "shop", "user1", "ATTRS", '{"city":"x"}')

    def test_everything_is_the_same_after_kill_and_stop(self):
        client = self.server.client()
        add_clicks(client, 1, 1500)
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        add_clicks(client, 2, 700)
        client.cmd("RECO.REM", "shop", "user2", "item2")
        client.cmd("RECO.SET", "shop", "user3", "item3", 5)
        before = picture(client)
        info = as_map(client.cmd("RECO.INFO", "shop"))
        for end in (self.server.kill9, self.server.stop, self.server.kill9):
            end()
            self.server.start()
            client = self.server.client()
            self.assertEqual(before, picture(client))
            after = as_map(client.cmd("RECO.INFO", "shop"))
            for name in ("users", "items", "interactions", "last-seq", "model-id", "dim"):
                self.assertEqual(info[name], after[name], name)

    def test_collections_without_an_event_are_as_created_after_a_kill(self):
        client = self.server.client()
        client.cmd("RECO.CREATE", "new", "DIM", 8)
        add_clicks(client, 9, 300)
        client.cmd("DEL", "shop")
        client.cmd("RECO.CREATE", "shop", "DIM", 4)
        for end in (self.server.kill9, self.server.stop):
            end()
            self.server.start()
            client = self.server.client()
            for key, dim in (("new", 8), ("shop", 4)):
                info = as_map(client.cmd("RECO.INFO", key))
                self.assertEqual([dim, 0, 0, 0],
                                 [info[name] for name in ("dim", "users", "items", "last-seq")])
        self.assertEqual(1, client.cmd("RECO.ADD", "shop", "user1", "item2"))
        self.assertEqual([b"item2"], client.cmd("RECO.POPULAR", "shop"))

    def test_numbers_go_on_where_they_ended(self):
        client = self.server.client()
        last = add_clicks(client, 3, 200)[-1]
        self.server.kill9()
        self.server.start()
        self.assertEqual(last + 1, self.server.client().cmd("RECO.ADD", "shop", "u", "i"))

    def test_a_repeated_token_answers_its_old_number_after_a_crash(self):
        client = self.server.client()
        number = client.cmd("RECO.ADD", "shop", "u", "i", "ID", "token-1")
        self.server.kill9()
        self.server.start()
        client = self.server.client()
        self.assertEqual(number, client.cmd("RECO.ADD", "shop", "u", "i", "ID", "token-1"))
        self.assertEqual(b"1", client.cmd("RECO.PREF", "shop", "u", "i")[0])

    def test_removed_users_and_items_stay_removed(self):
        client = self.server.client()
        add_clicks(client, 4, 500)
        self.assertEqual(1, client.cmd("RECO.USER", "DEL", "shop", "user5"))
        self.assertEqual(1, client.cmd("RECO.ITEM", "DEL", "shop", "item5"))
        self.server.kill9()
        self.server.start()
        client = self.server.client()
        self.assertEqual([], client.cmd("RECO.HISTORY", "shop", "user5"))
        self.assertIsNone(client.cmd("RECO.VECTOR", "GET", "shop", "ITEM", "item5"))
        self.assertNotIn(b"item5", client.cmd("RECO.TOPK", "shop", "user6", "COUNT", 100))

    def test_a_deleted_or_renamed_collection_stays_so(self):
        client = self.server.client()
        add_clicks(client, 5, 100)
        client.cmd("RECO.ADD", "other", "u", "i")
        client.cmd("DEL", "other")
        client.cmd("RENAME", "shop", "store")
        self.server.kill9()
        self.server.start()
        client = self.server.client()
        self.assertEqual([b"store"], client.cmd("KEYS", "*"))
        self.assertEqual("reco", client.cmd("TYPE", "store"))
        self.assertEqual([], client.cmd("RECO.TOPK", "other", "u"))

    def test_a_kill_during_a_training_leaves_the_old_model(self):
        client = self.server.client()
        add_clicks(client, 6, 2000)
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        model = as_map(client.cmd("RECO.INFO", "shop"))["model-id"]
        before = picture(client)
        client.cmd("RECO.RETRAIN", "shop", "ITERATIONS", 1000)
        self.server.kill9()
        self.server.start()
        client = self.server.client()
        self.assertEqual(model, as_map(client.cmd("RECO.INFO", "shop"))["model-id"])
        self.assertEqual(before, picture(client))
        self.server.stop()
        code, output = check(self.server.dir)
        self.assertEqual(0, code, output)

    def test_a_stopped_folder_verifies_clean(self):
        client = self.server.client()
        add_clicks(client, 7, 1000)
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        add_clicks(client, 8, 100)
        self.server.stop()
        code, output = check(self.server.dir)
        self.assertEqual(0, code, output)


@reco_only
class OneOwner(unittest.TestCase):
    def test_a_second_process_is_refused_and_the_first_goes_on(self):
        with reco_e2e.Server() as server:
            server.client().cmd("SET", "k", "v")
            for args in (["--port", str(reco_e2e.free_port())], ["--check"]):
                code, output = reco_e2e.run_server(*args, "--dir", server.dir)
                self.assertEqual(1, code, output)
                self.assertIn("lock", output.lower())
                self.assertIn(server.dir, output)
            self.assertEqual(b"v", server.client().cmd("GET", "k"))

    def test_a_removed_lock_file_lets_nobody_in(self):
        with reco_e2e.Server() as server:
            server.client().cmd("SET", "k", "v")
            for path in data_files(server.dir, "LOCK"):
                os.remove(path)
            for args in (["--port", str(reco_e2e.free_port())], ["--check"]):
                code, output = reco_e2e.run_server(*args, "--dir", server.dir)
                self.assertEqual(1, code, output)
                self.assertIn("locked by another process: " + server.dir, output)
            self.assertEqual("OK", server.client().cmd("SET", "k", "w"))

    def test_a_log_file_of_ours_in_a_new_folder_is_no_data(self):
        folder = tempfile.mkdtemp(prefix="reco-log-")
        self.addCleanup(shutil.rmtree, folder, True)
        with reco_e2e.Server(directory=folder, logfile=os.path.join(folder, "reco.log")) as server:
            self.assertEqual("OK", server.client().cmd("SET", "k", "v"))
            server.restart()
            self.assertEqual(b"v", server.client().cmd("GET", "k"))

    def test_a_killed_owner_leaves_no_lock_behind(self):
        with reco_e2e.Server() as server:
            server.kill9()
            server.start()
            self.assertEqual("PONG", server.client().cmd("PING"))


def data_files(directory, pattern):
    """Paths under `directory` whose name holds `pattern`, largest first."""
    found = [os.path.join(base, name) for base, _, names in os.walk(directory)
             for name in names if pattern in name]
    return sorted(found, key=os.path.getsize, reverse=True)


def overwrite(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


@reco_only
class Damage(unittest.TestCase):
    """A damaged folder is refused in words, with exit code 1, and never ends in a crash."""

    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="reco-damage-")
        cls.addClassCleanup(shutil.rmtree, cls.base)
        cls.healthy = os.path.join(cls.base, "healthy")
        with reco_e2e.Server(directory=cls.healthy) as server:
            client = server.client()
            client.cmd("RECO.CREATE", "shop", "DIM", 16)
            add_clicks(client, 9, 3000)
            client.cmd("RECO.RETRAIN", "shop", "SYNC")
            client.pipeline([("SET", f"key{n}", "v" * 100) for n in range(500)])
            server.stop()
            server.start()  # what the log held moves to table files when the folder is opened

    def damaged(self):
        folder = os.path.join(self.base, "damaged")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.healthy, folder)
        return folder

    def assert_refused(self, folder, *words):
        """Neither the server nor the check accepts the folder; both say one of `words`."""
        for args in (["--port", str(reco_e2e.free_port())], ["--check"]):
            code, output = reco_e2e.run_server(*args, "--dir", folder)
            self.assertEqual(1, code, output)
            self.assertTrue(any(word in output for word in words), (words, output))
            self.assertNotIn("terminate called", output)

    def test_a_lost_or_broken_current_file_is_named(self):
        folder = self.damaged()
        current = data_files(folder, "CURRENT")[0]
        overwrite(current, 0, b"MANIFEST-999999\n")
        self.assert_refused(folder, "MANIFEST-999999", "CURRENT")
        folder = self.damaged()
        with open(data_files(folder, "CURRENT")[0], "wb"):
            pass
        self.assert_refused(folder, "CURRENT")

    def test_a_broken_manifest_is_named(self):
        folder = self.damaged()
        manifest = data_files(folder, "MANIFEST")[0]
        size = os.path.getsize(manifest)
        overwrite(manifest, 8, bytes(size - 8))
        self.assert_refused(folder, "MANIFEST", "manifest")

    def test_a_log_that_is_gone_is_named_and_salvage_keeps_the_tables(self):
        folder = self.damaged()
        with reco_e2e.Server(directory=folder) as server:
            server.client().cmd("SET", "late", "in the log alone")
            server.stop()
        log = max(data_files(folder, ".log"))  # by its number
        os.remove(log)
        self.assert_refused(folder, os.path.basename(log))
        code, output = reco_e2e.run_server("--salvage", "--dir", folder + "/")
        self.assertEqual(0, code, output)
        self.assertIn(f"damaged: the log {os.path.basename(log)} is missing", output)
        self.assertIn("501 keys, among them 1 collections with 3000 events", output)
        copy = folder + ".salvaged"
        self.addCleanup(shutil.rmtree, copy)
        code, again = reco_e2e.run_server("--salvage", "--dir", folder)
        self.assertEqual(1, code)
        self.assertIn(f"{copy} exists already", again)
        with reco_e2e.Server(directory=copy) as server:
            client = server.client()
            self.assertEqual([None, b"v" * 100], [client.cmd("GET", "late"),
                                                  client.cmd("GET", "key1")])
            self.assertEqual(20, len(client.cmd("RECO.TOPK", "shop", "user1", "COUNT", 20)))

    def test_a_manifest_one_byte_short_is_named_and_no_table_is_removed(self):
        folder = self.damaged()
        manifest = data_files(folder, "MANIFEST")[0]
        os.truncate(manifest, os.path.getsize(manifest) - 1)
        tables = data_files(folder, ".sst")
        self.assert_refused(folder, os.path.basename(manifest))
        self.assertEqual(tables, data_files(folder, ".sst"))

    def test_what_was_synced_in_front_of_a_damage_in_the_log_is_not_dropped(self):
        with reco_e2e.Server(directory=self.damaged(), appendfsync="always") as server:
            client = server.client()
            for number in range(20):
                client.cmd("SET", f"late{number}", "v" * 50)
            server.kill9()  # before the inventory has them: the writes tell of each other
            log = max(data_files(server.dir, ".log"), key=os.path.getmtime)
            overwrite(log, os.path.getsize(log) // 2, b"\xa5")
            self.assert_refused(server.dir, os.path.basename(log))

    def test_salvage_leaves_out_the_collection_of_a_damaged_table(self):
        for path in data_files(self.healthy, ".sst"):
            with self.subTest(table=os.path.basename(path)):
                folder = self.damaged()
                overwrite(os.path.join(folder, os.path.basename(path)), 10, b"\xa5" * 20)
                code, output = reco_e2e.run_server("--salvage", "--dir", folder)
                self.assertEqual(0, code, output)
                self.assertRegex(output, r"dropped: family \w+: " + os.path.basename(path))
                code, checked = check(folder + ".salvaged")
                shutil.rmtree(folder + ".salvaged")
                self.assertEqual(0, code, output + checked)

    def test_a_lost_table_is_named(self):
        folder = self.damaged()
        table = data_files(folder, ".sst")[0]
        os.remove(table)
        self.assert_refused(folder, os.path.basename(table))

    def test_flipped_bytes_in_a_table_are_found_by_the_check(self):
        for path in data_files(self.healthy, ".sst"):
            with self.subTest(table=os.path.basename(path)):
                folder = self.damaged()
                table = os.path.join(folder, os.path.relpath(path, self.healthy))
                overwrite(table, 10, b"\xa5" * 20)
                code, output = check(folder)
                self.assertEqual(1, code, output)
                self.assertRegex(output, r"problem: family \w+: " + os.path.basename(path))

    def test_a_server_on_flipped_bytes_ends_with_words_or_answers_errors(self):
        for path in data_files(self.healthy, ".sst"):
            with self.subTest(table=os.path.basename(path)):
                folder = self.damaged()
                overwrite(os.path.join(folder, os.path.relpath(path, self.healthy)), 10,
                          b"\xa5" * 20)
                try:
                    with reco_e2e.Server(directory=folder) as server:
                        client = server.client()
                        client.pipeline([("RECO.TOPK", "shop", "user1"), ("GET", "key1"),
                                         ("RECO.HISTORY", "shop", "user1"), ("KEYS", "*"),
                                         ("RECO.ITEM", "GET", "shop", "item1")])
                        self.assertEqual("PONG", client.cmd("PING"))
                        server.kill9()
                except reco_e2e.StartFailed as failure:
                    self.assertEqual(1, failure.code, failure.output)
                    self.assertRegex(failure.output, r"family|\.sst")

    def test_a_torn_log_end_costs_no_start(self):
        with reco_e2e.Server(directory=self.damaged()) as server:
            client = server.client()
            client.pipeline([("SET", f"late{n}", n) for n in range(100)])
            server.kill9()
            log = max(data_files(server.dir, ".log"), key=os.path.getmtime)
            with open(log, "ab") as file:
                file.write(b"\x13\x37" * 50)
            server.start()
            self.assertEqual(b"99", server.client().cmd("GET", "late99"))

    def test_a_file_of_another_kind_in_the_place_of_the_folder_is_refused(self):
        path = os.path.join(self.base, "a-file")
        with open(path, "w", encoding="utf-8") as file:
            file.write("not a folder")
        code, output = reco_e2e.run_server("--port", str(reco_e2e.free_port()), "--dir", path)
        self.assertEqual(1, code)
        self.assertIn(path, output)

    def test_a_newer_format_is_refused_with_its_version(self):
        folder = self.damaged()
        subprocess.run([os.path.join(reco_e2e.BIN, "set_format_version"), folder, "77"], check=True)
        self.assert_refused(folder, "77")


@reco_only
class Disk(unittest.TestCase):
    def test_a_read_only_folder_is_refused_in_words(self):
        with ReadOnlyFolder(self) as folder:
            code, output = reco_e2e.run_server("--port", str(reco_e2e.free_port()), "--dir", folder)
            self.assertEqual(1, code, output)
            self.assertIn(folder, output)

    def test_a_full_disk_refuses_writes_and_goes_on_reading(self):
        with SmallDisk(self, megabytes=24) as folder, \
                reco_e2e.Server(directory=os.path.join(folder, "data"),
                                appendfsync="always") as server:
            client = server.client()
            client.cmd("RECO.CREATE", "shop", "DIM", 8)
            client.cmd("RECO.ADD", "shop", "u", "i")
            client.cmd("SET", "first", "1")
            acknowledged, refused = fill(client)
            self.assertTrue(refused.message.startswith("MISCONF "), refused)
            self.assertEqual(b"1", client.cmd("GET", "first"))
            self.assertEqual(b"1", client.cmd("RECO.PREF", "shop", "u", "i")[0])
            self.assertTrue(client.error("RECO.ADD", "shop", "u", "i").startswith("MISCONF "))
            self.assertEqual(b"1", client.cmd("RECO.PREF", "shop", "u", "i")[0])
            last = f"fill{acknowledged - 1}"
            self.assertEqual(100_000, len(client.cmd("GET", last)))
            self.assertIsNone(client.cmd("GET", f"fill{acknowledged}"))
            self.assertEqual("PONG", client.cmd("PING"))
            server.kill9()
            os.remove(os.path.join(folder, "ballast"))
            server.start()
            client = server.client()
            self.assertEqual(100_000, len(client.cmd("GET", last)))
            self.assertIsNone(client.cmd("GET", f"fill{acknowledged}"))
            self.assertEqual("OK", client.cmd("SET", "after", "1"))
            self.assertEqual(2, client.cmd("RECO.ADD", "shop", "u", "i"))

    def test_a_restart_on_a_full_disk_serves_reads_until_there_is_room(self):
        with SmallDisk(self, megabytes=40) as folder, \
                reco_e2e.Server(directory=os.path.join(folder, "data"),
                                appendfsync="always") as server:
            client = server.client()
            client.cmd("RECO.ADD", "shop", "u", "i")
            acknowledged, _ = fill(client)
            server.kill9()
            server.start()
            client = server.client()
            last = f"fill{acknowledged - 1}"
            self.assertEqual(100_000, len(client.cmd("GET", last)))
            self.assertEqual(b"1", client.cmd("RECO.PREF", "shop", "u", "i")[0])
            refused = client.error("SET", "k", "v")
            self.assertTrue(refused.startswith("MISCONF "), refused)
            self.assertIn("no space left on device", refused)
            self.assertRegex(refused, "writes need up to [0-9]+ MiB of free space there")
            # Less than the log holds, which waits for more room to be written to tables.
            os.remove(os.path.join(folder, "ballast"))
            reco_e2e.eventually(lambda: client.pipeline([("SET", "again", "1")])[0] == "OK")
            self.assertEqual(100_000, len(client.cmd("GET", last)))
            self.assertEqual(2, client.cmd("RECO.ADD", "shop", "u", "i"))

    def test_writes_are_taken_again_once_there_is_room(self):
        with SmallDisk(self, megabytes=24) as folder, \
                reco_e2e.Server(directory=os.path.join(folder, "data"),
                                appendfsync="always") as server:
            client = server.client()
            fill(client)
            os.remove(os.path.join(folder, "ballast"))
            reco_e2e.eventually(
                lambda: client.pipeline([("SET", "again", "1")])[0] == "OK")
            server.restart()
            self.assertEqual(b"1", server.client().cmd("GET", "again"))


def fill(client):
    """Writes until a write is refused; returns how many were acknowledged and the refusal."""
    for number in range(2000):
        reply = client.pipeline([("SET", f"fill{number}", os.urandom(50_000).hex())])[0]
        if reply != "OK":
            return number, reply
    raise AssertionError("the disk never filled")


class SmallDisk:
    """A file system of a few megabytes in memory, with a removable file `ballast` of 8 MB on it.
    Needs the right to mount; the test is skipped without it."""

    def __init__(self, test, megabytes):
        self.folder = tempfile.mkdtemp(prefix="reco-disk-")
        test.addCleanup(shutil.rmtree, self.folder, True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs",
                               self.folder], stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            test.skipTest(f"cannot mount: {done.stderr.decode().strip()}")
        with open(os.path.join(self.folder, "ballast"), "wb") as file:
            file.write(bytes(8 << 20))

    def __enter__(self):
        return self.folder

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.folder], check=True)


class ReadOnlyFolder:
    """An existing data folder on a file system mounted read-only, or, without the right to mount,
    one whose permissions forbid writing."""

    def __init__(self, test):
        self.folder = tempfile.mkdtemp(prefix="reco-readonly-")
        test.addCleanup(shutil.rmtree, self.folder, True)
        self.mounted = False

    def __enter__(self):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,ro", "tmpfs", self.folder],
                              stderr=subprocess.DEVNULL, check=False)
        self.mounted = done.returncode == 0
        if not self.mounted:
            os.chmod(self.folder, 0o555)
        return self.folder

    def __exit__(self, *_):
        if self.mounted:
            subprocess.run(["umount", "-l", self.folder], check=True)


if __name__ == "__main__":
    unittest.main()
