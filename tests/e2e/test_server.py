"""The server as a whole: connections, configuration, introspection, start and stop."""
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import reco_e2e
from reco_e2e import RespError, as_map, reco_only, text


def info_of(client, *sections):
    """INFO as a dict of its fields."""
    lines = text(client.cmd("INFO", *sections)).split("\r\n")
    return dict(line.split(":", 1) for line in lines if ":" in line)


class Connection(reco_e2e.ServerTest):
    def test_ping_answers_pong_or_its_argument(self):
        client = self.client()
        self.assertEqual("PONG", client.cmd("PING"))
        self.assertEqual(b"hi\x00", client.cmd("PING", "hi\x00"))
        self.assertEqual("ERR wrong number of arguments for 'ping' command",
                         client.error("PING", "a", "b"))

    def test_hello_answers_the_map_in_redis_order(self):
        client = self.client()
        flat = client.cmd("HELLO")
        self.assertEqual([b"server", b"version", b"proto", b"id", b"mode", b"role", b"modules"],
                         flat[::2][:7])
        hello = as_map(flat)
        self.assertEqual((b"redis", 2, b"standalone", b"master", []),
                         tuple(hello[k] for k in ("server", "proto", "mode", "role", "modules")))
        self.assertRegex(text(hello["version"]), r"^7\.\d+\.\d+$")
        hello = as_map(client.cmd("HELLO", 3))
        self.assertEqual(3, hello["proto"])
        self.assertEqual(client.cmd("CLIENT", "ID"), hello["id"])
        self.assertIsInstance(client.cmd("HELLO", 2), list)

    def test_hello_checks_everything_before_it_changes_anything(self):
        client = self.client()
        cases = [
            (("HELLO", "4"), "NOPROTO unsupported protocol version"),
            (("HELLO", "1"), "NOPROTO unsupported protocol version"),
            (("HELLO", "abc"), "ERR Protocol version is not an integer or out of range"),
            (("HELLO", "3", "SETNAME", "a b"),
             "ERR Client names cannot contain spaces, newlines or special characters."),
            (("HELLO", "3", "NOSUCH"), "ERR Syntax error in HELLO option 'NOSUCH'"),
            (("HELLO", "3", "AUTH", "nobody", "x"),
             "WRONGPASS invalid username-password pair or user is disabled."),
        ]
        for command, message in cases:
            with self.subTest(command=command):
                self.assertEqual(message, client.error(*command))
                self.assertEqual(2, as_map(client.cmd("HELLO"))["proto"])
                self.assertIsNone(client.cmd("CLIENT", "GETNAME"))

    def test_hello_sets_protocol_user_and_name_at_once(self):
        client = self.client()
        hello = client.cmd("HELLO", 3, "AUTH", "default", "any", "SETNAME", "me")
        self.assertEqual(3, hello[b"proto"])
        self.assertEqual(b"me", client.cmd("CLIENT", "GETNAME"))

    def test_auth_without_a_password_configured_says_so(self):
        self.assertEqual(
            "ERR AUTH <password> called without any password configured for the default user. "
            "Are you sure your configuration is correct?", self.client().error("AUTH", "x"))
        self.assertEqual("OK", self.client().cmd("AUTH", "default", "x"))

    def test_select_keeps_databases_apart(self):
        client = self.client()
        client.cmd("SET", "k", "zero")
        self.assertEqual("OK", client.cmd("SELECT", 15))
        self.assertIsNone(client.cmd("GET", "k"))
        client.cmd("SET", "k", "fifteen")
        self.assertEqual(1, client.cmd("DBSIZE"))
        client.cmd("SELECT", 0)
        self.assertEqual(b"zero", client.cmd("GET", "k"))
        for index, message in (("16", "ERR DB index is out of range"),
                               ("-1", "ERR DB index is out of range"),
                               ("x", "ERR value is not an integer or out of range")):
            self.assertEqual(message, client.error("SELECT", index))
        self.assertEqual(b"zero", client.cmd("GET", "k"))

    def test_reset_returns_the_connection_to_its_start(self):
        client = self.client(protocol=3, db=4)
        client.cmd("CLIENT", "SETNAME", "before")
        client.cmd("SET", "k", "four")
        self.assertEqual("RESET", client.cmd("RESET"))
        self.assertEqual(2, as_map(client.cmd("HELLO"))["proto"])
        self.assertIsNone(client.cmd("CLIENT", "GETNAME"))
        self.assertIsNone(client.cmd("GET", "k"))

    def test_quit_answers_and_closes(self):
        client = self.client()
        client.send_raw(reco_e2e.encode("QUIT") + reco_e2e.encode("SET", "after", "1"))
        self.assertEqual(b"+OK\r\n", client.read_to_end())
        self.assertIsNone(self.client().cmd("GET", "after"))


class ClientCommand(reco_e2e.ServerTest):
    def test_ids_grow_and_stay(self):
        first = self.client()
        number = first.cmd("CLIENT", "ID")
        self.assertLess(number, self.client().cmd("CLIENT", "ID"))
        self.assertEqual(number, first.cmd("CLIENT", "ID"))

    def test_names_and_library_are_shown(self):
        client = self.client()
        self.assertEqual("OK", client.cmd("CLIENT", "SETNAME", "worker-1"))
        self.assertEqual(b"worker-1", client.cmd("CLIENT", "GETNAME"))
        self.assertIn("name=worker-1 ", text(client.cmd("CLIENT", "INFO")))
        self.assertEqual("ERR Client names cannot contain spaces, newlines or special characters.",
                         client.error("CLIENT", "SETNAME", "two words"))
        self.assertEqual(b"worker-1", client.cmd("CLIENT", "GETNAME"))
        self.assertEqual("OK", client.cmd("CLIENT", "SETNAME", ""))
        self.assertIsNone(client.cmd("CLIENT", "GETNAME"))

    @reco_only
    def test_setinfo_is_kept_and_checked(self):
        client = self.client()
        self.assertEqual("OK", client.cmd("CLIENT", "SETINFO", "LIB-NAME", "redis-py(x)"))
        self.assertEqual("OK", client.cmd("CLIENT", "SETINFO", "lib-ver", "8.0.1"))
        line = text(client.cmd("CLIENT", "INFO"))
        self.assertIn("lib-name=redis-py(x)", line)
        self.assertIn("lib-ver=8.0.1", line)
        self.assertTrue(client.error("CLIENT", "SETINFO", "lib-name", "a b").startswith("ERR "))
        self.assertTrue(client.error("CLIENT", "SETINFO", "nosuch", "a").startswith("ERR "))

    def test_list_has_a_line_for_every_connection(self):
        clients = [self.client() for _ in range(3)]
        for client in clients:
            client.cmd("PING")
        lines = text(clients[0].cmd("CLIENT", "LIST")).strip().split("\n")
        ids = {int(line.split("id=", 1)[1].split(" ", 1)[0]) for line in lines}
        self.assertLessEqual({c.cmd("CLIENT", "ID") for c in clients}, ids)
        for field in ("addr=", "laddr=", "fd=", "name=", "age=", "idle=", "flags=", "db=", "cmd=",
                      "user=default", "resp=2"):
            self.assertIn(field, lines[0])
        only = clients[1].cmd("CLIENT", "ID")
        self.assertEqual(1, len(text(clients[0].cmd("CLIENT", "LIST", "ID", only)).splitlines()))

    def test_kill_closes_by_id_and_by_address(self):
        killer, by_id, by_address = (self.client() for _ in range(3))
        self.assertEqual(1, killer.cmd("CLIENT", "KILL", "ID", by_id.cmd("CLIENT", "ID")))
        self.assertTrue(by_id.is_closed())
        address = "{}:{}".format(*by_address.sock.getsockname())
        self.assertEqual("OK", killer.cmd("CLIENT", "KILL", address))
        self.assertTrue(by_address.is_closed())
        self.assertEqual("ERR No such client", killer.error("CLIENT", "KILL", "127.0.0.1:1"))
        self.assertEqual(0, killer.cmd("CLIENT", "KILL", "ID", 123456789))
        self.assertEqual("PONG", killer.cmd("PING"))

    def test_no_evict_and_no_touch_are_taken_on_or_off(self):
        client = self.client()
        for subcommand in ("NO-EVICT", "NO-TOUCH"):
            with self.subTest(subcommand=subcommand):
                self.assertEqual("OK", client.cmd("CLIENT", subcommand, "ON"))
                self.assertEqual("OK", client.cmd("CLIENT", subcommand, "off"))
                self.assertEqual("ERR syntax error", client.error("CLIENT", subcommand, "maybe"))
                self.assertTrue(client.error("CLIENT", subcommand).startswith("ERR wrong number"))


class ConfigCommand(reco_e2e.ServerTest):
    def test_get_matches_globs_in_any_case_and_several(self):
        client = self.client()
        found = as_map(client.cmd("CONFIG", "GET", "MAX*"))
        self.assertEqual(b"10000", found["maxclients"])
        self.assertIn("maxmemory", found)
        found = as_map(client.cmd("CONFIG", "GET", "databases", "timeout"))
        self.assertEqual({"databases": b"16", "timeout": b"0"}, found)
        self.assertEqual([], client.cmd("CONFIG", "GET", "nosuch*"))

    def test_clients_find_what_they_ask_for(self):
        found = as_map(self.client().cmd("CONFIG", "GET", "*"))
        for name in ("save", "appendonly", "databases", "timeout", "maxmemory", "maxclients",
                     "appendfsync", "port", "bind", "requirepass", "proto-max-bulk-len"):
            self.assertIn(name, found)

    def test_set_changes_or_leaves_all(self):
        client = self.client()
        self.assertEqual("OK", client.cmd("CONFIG", "SET", "timeout", "100"))
        self.assertEqual([b"timeout", b"100"], client.cmd("CONFIG", "GET", "timeout"))
        self.assertIn("nosuch", client.error("CONFIG", "SET", "timeout", "50", "nosuch", "1"))
        self.assertEqual([b"timeout", b"100"], client.cmd("CONFIG", "GET", "timeout"))
        for name, value in (("timeout", "x"), ("timeout", "-1"), ("appendfsync", "sometimes"),
                            ("port", "99999")):
            with self.subTest(name=name, value=value):
                self.assertTrue(client.error("CONFIG", "SET", name, value).startswith("ERR "))
        client.cmd("CONFIG", "SET", "timeout", "0")

    @reco_only
    def test_a_bad_value_names_what_is_allowed(self):
        message = self.client().error("CONFIG", "SET", "appendfsync", "sometimes")
        for word in ("always", "everysec", "no"):
            self.assertIn(word, message)

    def test_fsync_policy_can_change_while_serving(self):
        client = self.client()
        for policy in ("always", "no", "everysec"):
            self.assertEqual("OK", client.cmd("CONFIG", "SET", "appendfsync", policy))
            self.assertEqual([b"appendfsync", policy.encode()],
                             client.cmd("CONFIG", "GET", "appendfsync"))
            self.assertEqual("OK", client.cmd("SET", "k", policy))

    def test_resetstat_clears_the_counters(self):
        client = self.client()
        client.error("NOSUCH")
        self.assertGreater(int(info_of(client, "stats")["total_commands_processed"]), 0)
        self.assertIn("errorstat_ERR", text(client.cmd("INFO", "errorstats")))
        self.assertEqual("OK", client.cmd("CONFIG", "RESETSTAT"))
        self.assertNotIn("errorstat_ERR", text(client.cmd("INFO", "errorstats")))

    @reco_only
    def test_a_changed_requirepass_counts_for_new_connections(self):
        with reco_e2e.Server() as server:
            old = server.client()
            self.assertEqual("OK", old.cmd("CONFIG", "SET", "requirepass", "pw"))
            self.assertEqual("NOAUTH Authentication required.", server.client().error("GET", "a"))
            self.assertEqual("OK", server.client().cmd("AUTH", "pw"))


class CommandCommand(reco_e2e.ServerTest):
    def test_count_list_and_info_agree(self):
        client = self.client()
        every = client.cmd("COMMAND")
        self.assertEqual(client.cmd("COMMAND", "COUNT"), len(every))
        listed = client.cmd("COMMAND", "LIST")
        self.assertEqual(sorted(row[0] for row in every),
                         sorted(name for name in listed if b"|" not in name))
        self.assertIn(b"config|get", listed)
        self.assertEqual([None], client.cmd("COMMAND", "INFO", "nosuch"))

    def test_info_rows_have_the_shape_of_redis(self):
        client = self.client(protocol=3)
        get, several = client.cmd("COMMAND", "INFO", "GET", "mget")
        self.assertEqual([b"get", 2], get[:2])
        self.assertEqual({"readonly", "fast"}, {text(f) for f in get[2]})
        self.assertEqual([1, 1, 1], get[3:6])
        self.assertEqual({"@read", "@string", "@fast"}, {text(c) for c in get[6]})
        self.assertEqual(10, len(get))
        if several is not None:
            self.assertEqual([1, -1, 1], several[3:6])

    def test_docs_describe_every_command(self):
        client = self.client()
        docs = as_map(client.cmd("COMMAND", "DOCS"))
        self.assertEqual(client.cmd("COMMAND", "COUNT"), len(docs))
        for name, row in docs.items():
            row = as_map(row)
            with self.subTest(command=name):
                self.assertTrue(row["summary"])
                self.assertTrue(row["group"])
        self.assertEqual([b"get"], client.cmd("COMMAND", "DOCS", "get")[::2])
        self.assertEqual([], client.cmd("COMMAND", "DOCS", "nosuch"))

    def test_getkeys_finds_the_keys(self):
        client = self.client()
        self.assertEqual([b"k"], client.cmd("COMMAND", "GETKEYS", "GET", "k"))
        self.assertEqual([b"a", b"b"], client.cmd("COMMAND", "GETKEYS", "DEL", "a", "b"))
        self.assertEqual("ERR Invalid command specified",
                         client.error("COMMAND", "GETKEYS", "NOSUCH", "a"))
        self.assertEqual("ERR The command has no key arguments",
                         client.error("COMMAND", "GETKEYS", "PING", "x"))
        self.assertEqual("ERR Invalid number of arguments specified for command",
                         client.error("COMMAND", "GETKEYS", "SET", "a"))

    @reco_only
    def test_reco_commands_are_part_of_the_table(self):
        client = self.client(protocol=3)
        add = client.cmd("COMMAND", "INFO", "RECO.ADD")[0]
        self.assertEqual([b"reco.add", -4], add[:2])
        self.assertIn("@reco", {text(c) for c in add[6]})
        self.assertEqual([b"shop"], client.cmd("COMMAND", "GETKEYS", "RECO.ADD", "shop", "u", "i"))


class Help(reco_e2e.ServerTest):
    def test_containers_name_their_subcommands(self):
        client = self.client()
        for container, some in [("CLIENT", ["ID", "KILL", "NO-EVICT", "HELP"]),
                                ("COMMAND", ["COUNT", "DOCS", "GETKEYS", "HELP"]),
                                ("CONFIG", ["GET", "RESETSTAT", "SET", "HELP"])]:
            with self.subTest(container=container):
                lines = [text(line) for line in client.cmd(container, "HELP")]
                self.assertEqual(container + " <subcommand> [<arg> [value] [opt] ...]. "
                                 "Subcommands are:", lines[0])
                names = [line.split(" ", 1)[0] for line in lines[1:]]
                for name in some:
                    self.assertIn(name, names)
                self.assertTrue(client.error(container, "NOSUCH").startswith(
                    "ERR unknown subcommand 'NOSUCH'"))


class TimeAndCluster(reco_e2e.ServerTest):
    def test_time_is_the_machines_in_seconds_and_microseconds(self):
        client = self.client()
        before = time.time()
        seconds, micros = (int(part) for part in client.cmd("TIME"))
        after = time.time()
        self.assertTrue(0 <= micros < 1_000_000)
        self.assertTrue(before - 1e-3 <= seconds + micros / 1e6 <= after + 1e-3)
        self.assertEqual("ERR wrong number of arguments for 'time' command",
                         client.error("TIME", "now"))

    def test_there_is_no_cluster(self):
        client = self.client()
        disabled = "ERR This instance has cluster support disabled"
        self.assertEqual(disabled, client.error("CLUSTER", "INFO"))
        self.assertEqual(disabled, client.error("READONLY"))
        self.assertEqual("PONG", client.cmd("PING"))


class Info(reco_e2e.ServerTest):
    def test_clients_find_the_fields_they_parse(self):
        fields = info_of(self.client())
        for name, value in (("redis_mode", "standalone"), ("role", "master"), ("loading", "0"),
                            ("connected_slaves", "0"), ("tcp_port", str(self.server.port)),
                            ("process_id", str(self.server.process.pid))):
            self.assertEqual(value, fields.get(name), name)
        for name in ("redis_version", "run_id", "uptime_in_seconds", "connected_clients",
                     "used_memory", "total_connections_received", "total_commands_processed"):
            self.assertTrue(fields.get(name), name)

    def test_sections_are_chosen_by_name(self):
        client = self.client()
        server = text(client.cmd("INFO", "server"))
        self.assertTrue(server.startswith("# Server\r\n"))
        self.assertNotIn("# Clients", server)
        several = text(client.cmd("INFO", "SERVER", "clients"))
        self.assertIn("# Server", several)
        self.assertIn("# Clients", several)
        self.assertEqual("", text(client.cmd("INFO", "nosuch")))

    def test_keyspace_counts_the_keys_of_each_database(self):
        self.client().cmd("SET", "a", "1")
        self.client(db=3).cmd("SET", "b", "1")
        self.client(db=3).cmd("SET", "c", "1", "EX", 1000)
        self.assertEqual(2, text(self.client().cmd("INFO", "keyspace")).count("keys="))
        fields = info_of(self.client(), "keyspace")
        self.assertTrue(fields["db0"].startswith("keys=1,expires=0"), fields)
        self.assertTrue(fields["db3"].startswith("keys=2,expires=1"), fields)
        self.assertNotIn("db1", fields)


class Passwords(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = reco_e2e.Server(requirepass="secret")
        cls.addClassCleanup(cls.server.__exit__, None)

    def test_nothing_but_the_handshake_works_before_auth(self):
        client = self.server.client()
        for command in (("GET", "a"), ("PING",), ("COMMAND",), ("INFO",), ("CLIENT", "ID"),
                        ("CONFIG", "GET", "*"), ("SHUTDOWN",)):
            with self.subTest(command=command):
                self.assertEqual("NOAUTH Authentication required.", client.error(*command))
        self.assertTrue(client.error("HELLO", 3).startswith(
            "NOAUTH HELLO must be called with the client already authenticated"))
        self.assertTrue(client.error("NOSUCH").startswith("ERR unknown command"))
        self.assertTrue(client.error("GET").startswith("ERR wrong number of arguments"))

    def test_a_wrong_password_changes_nothing(self):
        client = self.server.client()
        wrong = "WRONGPASS invalid username-password pair or user is disabled."
        for command in (("AUTH", "wrong"), ("AUTH", "default", "wrong"), ("AUTH", ""),
                        ("AUTH", "nobody", "secret"), ("AUTH", "secret\0"),
                        ("HELLO", "3", "AUTH", "default", "wrong")):
            with self.subTest(command=command):
                self.assertEqual(wrong, client.error(*command))
                self.assertEqual("NOAUTH Authentication required.", client.error("PING"))

    def test_the_password_opens_the_connection(self):
        for command in (("AUTH", "secret"), ("AUTH", "default", "secret"),
                        ("HELLO", "3", "AUTH", "default", "secret")):
            client = self.server.client()
            client.cmd(*command)
            self.assertEqual("PONG", client.cmd("PING"))

    def test_reset_takes_the_authentication_back(self):
        client = self.server.client(password="secret")
        self.assertEqual("RESET", client.cmd("RESET"))
        self.assertEqual("NOAUTH Authentication required.", client.error("PING"))


def outside_address():
    """An address of this machine that is not loopback, or None."""
    try:
        lines = subprocess.run(["ip", "-4", "-o", "addr"], stdout=subprocess.PIPE, check=True,
                               text=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return None
    found = [line.split()[3].split("/")[0] for line in lines]
    return next((address for address in found if not address.startswith("127.")), None)


class Limits(unittest.TestCase):
    def test_clients_past_maxclients_are_told_and_closed(self):
        with reco_e2e.Server(maxclients=3) as server:
            reco_e2e.eventually(lambda: info_of_is_alone(server))
            kept = [server.client() for _ in range(3)]
            for client in kept:
                client.cmd("PING")
            refused = server.client()
            self.assertEqual(b"-ERR max number of clients reached\r\n", refused.read_to_end())
            self.assertEqual("PONG", kept[0].cmd("PING"))
            kept[1].close()
            reco_e2e.eventually(lambda: can_ping(server))

    def test_protected_mode_refuses_other_machines(self):
        address = outside_address()
        if address is None:
            self.skipTest("this machine has loopback addresses alone")
        with reco_e2e.Server(bind="0.0.0.0") as server:
            with reco_e2e.Resp(server.port, host=address) as client:
                self.assertTrue(client.read_to_end().startswith(
                    b"-DENIED Redis is running in protected mode"))
        with reco_e2e.Server(bind="0.0.0.0", requirepass="pw") as server:
            with reco_e2e.Resp(server.port, host=address) as client:
                self.assertEqual("OK", client.cmd("AUTH", "pw"))

    def test_the_default_is_to_listen_on_loopback_alone(self):
        address = outside_address()
        if address is None:
            self.skipTest("this machine has loopback addresses alone")
        if reco_e2e.ON_REDIS:
            self.skipTest("redis-server without a configuration file listens everywhere")
        with reco_e2e.Server() as server:
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection((address, server.port), 5)

    def test_idle_clients_are_closed_after_timeout(self):
        with reco_e2e.Server(timeout=1) as server:
            client = server.client()
            client.cmd("PING")
            self.assertTrue(client.is_closed())


def info_of_is_alone(server):
    """True when the harness's own first connection is gone."""
    with server.client() as client:
        return info_of(client, "clients")["connected_clients"] == "1"


def can_ping(server):
    try:
        with server.client() as client:
            return client.cmd("PING") == "PONG"
    except (reco_e2e.ConnectionClosed, RespError, OSError):
        return False


class StartAndStop(unittest.TestCase):
    def test_sigterm_and_sigint_stop_with_code_zero_and_keep_all(self):
        with reco_e2e.Server() as server:
            for number, sig in enumerate((signal.SIGTERM, signal.SIGINT)):
                server.client().cmd("SET", f"k{number}", "v")
                server.stop(sig)
                server.start()
            client = server.client()
            self.assertEqual([b"v", b"v"], [client.cmd("GET", "k0"), client.cmd("GET", "k1")])

    def test_shutdown_stops_with_code_zero_and_keeps_all(self):
        with reco_e2e.Server() as server:
            for command in (("SHUTDOWN",), ("SHUTDOWN", "SAVE"), ("SHUTDOWN", "NOW"),
                            ("SHUTDOWN", "NOSAVE")):
                client = server.client()
                client.cmd("SET", command[-1], "v")
                client.send_raw(reco_e2e.encode(*command))
                self.assertEqual(0, server.wait_exit())
                self.assertTrue(client.is_closed())
                server.start()
                self.assertEqual(b"v", server.client().cmd("GET", command[-1]))

    def test_shutdown_with_a_bad_option_goes_on_serving(self):
        with reco_e2e.Server() as server:
            client = server.client()
            self.assertEqual("ERR syntax error", client.error("SHUTDOWN", "NOSUCH"))
            self.assertEqual("ERR syntax error", client.error("SHUTDOWN", "SAVE", "NOSAVE"))
            self.assertEqual("PONG", client.cmd("PING"))

    def test_an_acknowledged_pipeline_is_kept_by_shutdown(self):
        with reco_e2e.Server() as server:
            client = server.client()
            replies = client.pipeline([("SET", f"k{i}", i) for i in range(1000)])
            self.assertEqual(["OK"] * 1000, replies)
            server.restart()
            self.assertEqual(1000, server.client().cmd("DBSIZE"))

    def test_a_port_in_use_stops_the_start(self):
        with reco_e2e.Server() as server, tempfile.TemporaryDirectory() as folder:
            code, output = reco_e2e.run_server("--port", str(server.port), "--dir", folder)
            self.assertEqual(1, code)
            self.assertIn("in use", output)
            self.assertIn(str(server.port), output)
            self.assertEqual("PONG", server.client().cmd("PING"))


@reco_only
class Configuration(unittest.TestCase):
    """A bad option stops the start with the line and what is allowed."""

    def start_with(self, config):
        with self.assertRaises(reco_e2e.StartFailed) as caught:
            reco_e2e.Server(config=config)
        self.assertEqual(1, caught.exception.code)
        return caught.exception.output

    def test_a_file_and_then_the_command_line_decide(self):
        with reco_e2e.Server(config="# comment\n\nmaxclients 77\ntimeout 5\n",
                             timeout=9) as server:
            client = server.client()
            self.assertEqual([b"maxclients", b"77"], client.cmd("CONFIG", "GET", "maxclients"))
            self.assertEqual([b"timeout", b"9"], client.cmd("CONFIG", "GET", "timeout"))

    def test_a_change_that_is_refused_changes_nothing(self):
        with reco_e2e.Server() as server:
            client = server.client()
            self.assertIn("maxclients", client.error("CONFIG", "SET", "maxmemory", 1,
                                                     "maxclients", 2_000_000_000))
            self.assertEqual([b"maxmemory", b"0"], client.cmd("CONFIG", "GET", "maxmemory"))
            self.assertEqual(1, client.cmd("RECO.ADD", "shop", "ann", "lamp"))

    def test_values_may_be_quoted(self):
        with reco_e2e.Server(config='requirepass "two words"\n') as server:
            self.assertEqual("OK", server.client().cmd("AUTH", "two words"))

    def test_an_unknown_option_names_the_line(self):
        output = self.start_with("maxclients 10\nnosuch-option 1\n")
        self.assertIn("nosuch-option", output)
        self.assertIn("test.conf:2:", output)

    def test_a_bad_value_names_the_line_and_what_is_allowed(self):
        cases = [
            ("\n\nappendfsync sometimes\n", ("test.conf:3:", "appendfsync", "always", "everysec")),
            ("maxclients many\n", ("test.conf:1:", "maxclients")),
            ("maxclients -4\n", ("test.conf:1:", "maxclients")),
            ("port 70000\n", ("test.conf:1:", "port", "65535")),
            ("maxclients\n", ("test.conf:1:", "maxclients")),
            ("maxclients 1 2\n", ("test.conf:1:", "maxclients")),
            ("requirepass \"open\n", ("test.conf:1:",)),
            ("maxmemory 12parsecs\n", ("test.conf:1:", "maxmemory")),
            ("maxmemory auto\n", ("test.conf:1:", "maxmemory")),
            ("row-cache-bytes automatic\n", ("test.conf:1:", "row-cache-bytes", "auto")),
        ]
        for config, words in cases:
            with self.subTest(config=config):
                output = self.start_with(config)
                for word in words:
                    self.assertIn(word, output)

    def test_bad_arguments_stop_the_start(self):
        with tempfile.TemporaryDirectory() as folder:
            for args, words in ((["--nosuch-option", "1"], ("nosuch-option",)),
                                (["--appendfsync", "sometimes"], ("appendfsync", "everysec")),
                                (["--maxclients"], ("maxclients",)),
                                (["/nonexistent/reco.conf"], ("/nonexistent/reco.conf",))):
                with self.subTest(args=args):
                    code, output = reco_e2e.run_server(*args, cwd=folder)
                    self.assertEqual(1, code)
                    for word in words:
                        self.assertIn(word, output)

    def test_the_shipped_configuration_starts_and_states_the_defaults(self):
        path = os.path.join(reco_e2e.ROOT, "reco.conf")
        with open(path, encoding="utf-8") as file:
            shipped = file.read()
        with reco_e2e.Server() as plain, reco_e2e.Server(config=shipped) as configured:
            ours = [as_map(s.client().cmd("CONFIG", "GET", "*")) for s in (plain, configured)]
            for values in ours:
                values.pop("port")
                values.pop("dir")
            self.assertEqual(ours[0], ours[1])
            for name in ("bind", "port", "dir", "appendfsync", "maxclients", "requirepass"):
                self.assertIn(name, shipped)

    def test_caches_are_a_share_of_the_memory(self):
        with reco_e2e.Server(maxmemory="256mb") as server:
            client = server.client()
            self.assertEqual([b"row-cache-bytes", b"auto"],
                             client.cmd("CONFIG", "GET", "row-cache-bytes"))
            self.assertEqual([b"block-cache-bytes", b"auto"],
                             client.cmd("CONFIG", "GET", "block-cache-bytes"))
            self.assertIn("can't set immutable config",
                          client.error("CONFIG", "SET", "row-cache-bytes", "auto"))
            memory = info_of(client, "memory")
            self.assertEqual(64 << 20, int(memory["row_cache_limit_bytes"]))
            self.assertEqual(16 << 20, int(memory["block_cache_limit_bytes"]))
            self.assertIn("Row cache 64.0 MiB (auto: a quarter of maxmemory, 256.0 MiB)",
                          server.output())
            self.assertIn("Block cache 16.0 MiB (auto: a sixteenth of maxmemory, 256.0 MiB)",
                          server.output())
            server.stop()
            for option in ((), ("--row-cache-bytes", "auto", "--block-cache-bytes", "AUTO")):
                code, output = reco_e2e.run_server("--check", "--dir", server.dir, *option)
                self.assertEqual(0, code, output)

    def test_caches_are_as_large_as_configured(self):
        with reco_e2e.Server(config="row-cache-bytes 3mb\nblock-cache-bytes auto\n",
                             block_cache_bytes="1gb", maxmemory="256mb") as server:
            client = server.client()
            self.assertEqual([b"row-cache-bytes", b"3145728"],
                             client.cmd("CONFIG", "GET", "row-cache-bytes"))
            memory = info_of(client, "memory")
            self.assertEqual(3 << 20, int(memory["row_cache_limit_bytes"]))
            self.assertEqual(1 << 30, int(memory["block_cache_limit_bytes"]))
            self.assertIn("Row cache 3.0 MiB (as configured)", server.output())
            self.assertIn("Block cache 1.0 GiB (as configured)", server.output())

    def test_caches_are_bounded_by_the_machine(self):
        with open("/proc/meminfo", encoding="ascii") as file:
            machine = int(re.search(r"^MemTotal:\s+(\d+) kB", file.read(), re.M)[1]) << 10
        with reco_e2e.Server() as server:
            memory = info_of(server.client(), "memory")
        for name, share, least, most in (("row", 4, 16 << 20, 4 << 30),
                                         ("block", 16, 4 << 20, 1 << 30)):
            size = int(memory[f"{name}_cache_limit_bytes"])
            self.assertTrue(least <= size <= max(least, min(machine // share, most)), (name, size))

    def test_version_and_help_print_and_leave(self):
        code, output = reco_e2e.run_server("--version")
        self.assertEqual(0, code)
        self.assertRegex(output, r"\d+\.\d+\.\d+")
        code, output = reco_e2e.run_server("--help")
        self.assertEqual(0, code)
        self.assertIn("--port", output)

    def test_the_log_goes_to_the_named_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "reco.log")
            with reco_e2e.Server(logfile=path, loglevel="debug"):
                pass
            with open(path, encoding="utf-8") as file:
                self.assertIn("eady to accept connections", file.read())


@reco_only
class Fairness(unittest.TestCase):
    def test_a_training_does_not_stop_other_commands(self):
        with reco_e2e.Server() as server:
            client = server.client()
            client.pipeline([("RECO.ADD", "shop", f"u{i % 300}", f"i{i * 7919 % 500}")
                             for i in range(6000)])
            job = client.cmd("RECO.RETRAIN", "shop")
            other = server.client()
            slowest = 0
            deadline = time.monotonic() + reco_e2e.TIMEOUT_S
            while as_map(client.cmd("RECO.JOB", "INFO", job))["state"] not in (b"done",):
                start = time.monotonic()
                other.cmd("RECO.ADD", "shop", "u1", "i1")
                self.assertEqual(10, len(other.cmd("RECO.TOPK", "shop", "u1")))
                slowest = max(slowest, time.monotonic() - start)
                self.assertLess(start, deadline)
            self.assertLess(slowest, 1)


if __name__ == "__main__":
    unittest.main()
