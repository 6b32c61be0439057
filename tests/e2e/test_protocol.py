"""The protocol on the wire: whole and broken requests, byte by byte and all at once."""
import socket
import struct
import time
import unittest

import reco_e2e
from reco_e2e import RespError, encode

INLINE_MAX = 64 * 1024
BULK_LENGTH_MAX = 512 * 1024 * 1024
MARK = ("ECHO", "still here")


class ProtocolTest(reco_e2e.ServerTest):
    def assert_alive(self, client):
        self.assertEqual(b"still here", client.cmd(*MARK))

    def assert_protocol_error(self, data, message):
        """The server answers `data` with this one error and closes, and serves others."""
        client = self.client()
        client.send_raw(data)
        answer = client.read_to_end()
        self.assertEqual(b"-ERR Protocol error: " + message.encode() + b"\r\n", answer)
        self.assert_alive(self.client())


class WholeRequests(ProtocolTest):
    def test_commands_arrive_in_any_case(self):
        client = self.client()
        for name in ("PING", "ping", "PiNg"):
            self.assertEqual("PONG", client.cmd(name))

    def test_arguments_are_binary_safe(self):
        client = self.client()
        blob = bytes(range(256)) * 3 + b"\r\n$5\r\n"
        self.assertEqual(blob, client.cmd("ECHO", blob))
        self.assertEqual("OK", client.cmd("SET", blob, blob))
        self.assertEqual(blob, client.cmd("GET", blob))
        self.assertEqual(b"", client.cmd("ECHO", b""))

    def test_a_command_may_come_byte_by_byte(self):
        client = self.client()
        for byte in encode("SET", "slow", b"a\x00\r\nb") + b"GET slow\r\n":
            client.send_raw(bytes([byte]))
            time.sleep(0.0005)
        self.assertEqual("OK", client.read_reply())
        self.assertEqual(b"a\x00\r\nb", client.read_reply())

    def test_a_request_split_anywhere_is_one_request(self):
        data = encode("ECHO", "hello")
        client = self.client()
        for cut in range(1, len(data)):
            client.send_raw(data[:cut])
            client.send_raw(data[cut:])
            self.assertEqual(b"hello", client.read_reply(), cut)

    def test_half_a_command_answers_nothing_and_blocks_nobody(self):
        client = self.client()
        client.send_raw(b"*2\r\n$4\r\nECHO\r\n$5\r\nhel")
        self.assert_alive(self.client())
        client.sock.settimeout(0.1)
        with self.assertRaises(TimeoutError):
            client.sock.recv(1)
        client.sock.settimeout(reco_e2e.TIMEOUT_S)
        client.send_raw(b"lo\r\n")
        self.assertEqual(b"hello", client.read_reply())

    def test_a_connection_left_inside_a_command_is_dropped_without_effect(self):
        client = self.client()
        client.send_raw(encode("SET", "half", "x" * 100)[:-10])
        client.close()
        self.assertIsNone(self.client().cmd("GET", "half"))

    def test_many_commands_in_one_packet_answer_in_order(self):
        client = self.client()
        count = 5000
        replies = client.pipeline([("ECHO", i) for i in range(count)])
        self.assertEqual([str(i).encode() for i in range(count)], replies)

    def test_every_command_of_a_pipeline_gets_exactly_one_reply(self):
        replies = self.client().pipeline([
            ("SET", "a", "1"), ("NOSUCH", "x"), ("GET",), ("GET", "a"), ("SET", "a", "2", "BAD"),
            ("GET", "a"), ("SELECT", "99"), ("PING",)])
        self.assertEqual("OK", replies[0])
        self.assertEqual("unknown command", replies[1].message[4:19])
        self.assertEqual(RespError("ERR wrong number of arguments for 'get' command"), replies[2])
        self.assertEqual(b"1", replies[3])
        self.assertEqual(RespError("ERR syntax error"), replies[4])
        self.assertEqual(b"1", replies[5])
        self.assertEqual(RespError("ERR DB index is out of range"), replies[6])
        self.assertEqual("PONG", replies[7])

    def test_a_large_value_passes_whole(self):
        client = self.client()
        value = b"0123456789abcdef" * (8 * 1024 * 1024 // 16)
        self.assertEqual("OK", client.cmd("SET", "large", value))
        self.assertEqual(value, client.cmd("GET", "large"))

    def test_the_bytes_after_a_bulk_are_skipped_unchecked(self):
        self.assertEqual("PONG", self.client().raw(b"*1\r\n$4\r\nPINGxx"))

    def test_the_line_feed_of_a_header_is_checked_by_position_alone(self):
        self.assertEqual("PONG", self.client().raw(b"*1\rX$4\rYPING\r\n"))

    def test_an_unknown_command_is_quoted_with_its_arguments(self):
        client = self.client()
        cases = [
            (("FOO",), "ERR unknown command 'FOO', with args beginning with: "),
            (("FOO", "a", "b"), "ERR unknown command 'FOO', with args beginning with: 'a' 'b' "),
            (("",), "ERR unknown command '', with args beginning with: "),
            (("F" * 300,), f"ERR unknown command '{'F' * 128}', with args beginning with: "),
            (("a\r\nb",), "ERR unknown command 'a  b', with args beginning with: "),
        ]
        for command, message in cases:
            self.assertEqual(message, client.error(*command))
        long = client.error("FOO", *["x" * 60] * 20)
        self.assertLess(len(long), 400)
        self.assert_alive(client)

    def test_an_unknown_subcommand_names_the_help(self):
        self.assertEqual("ERR unknown subcommand 'nosuch'. Try CLIENT HELP.",
                         self.client().error("CLIENT", "nosuch"))

    def test_arity_errors_name_the_command_in_lower_case(self):
        client = self.client()
        self.assertEqual("ERR wrong number of arguments for 'get' command", client.error("GeT"))
        self.assertEqual("ERR wrong number of arguments for 'config|get' command",
                         client.error("CONFIG", "GET"))


class EmptyRequests(ProtocolTest):
    def test_empty_requests_have_no_reply(self):
        for data in (b"*0\r\n", b"*-1\r\n", b"*-10\r\n", b"\r\n", b"\n", b"   \r\n"):
            client = self.client()
            client.send_raw(data)
            self.assert_alive(client)

    def test_a_count_that_never_fills_reserves_nothing(self):
        clients = [self.client() for _ in range(20)]
        for client in clients:
            client.send_raw(b"*1048576\r\n")
        self.assert_alive(self.client())
        used = reco_e2e.text(self.client().cmd("INFO", "memory"))
        rss = int(used.split("used_memory:", 1)[1].split("\r", 1)[0])
        self.assertLess(rss, 512 * 1024 * 1024)

    def test_a_bulk_length_that_never_fills_blocks_nobody(self):
        client = self.client()
        client.send_raw(b"*2\r\n$4\r\nECHO\r\n$%d\r\nabc" % BULK_LENGTH_MAX)
        self.assert_alive(self.client())


class BrokenHeaders(ProtocolTest):
    def test_a_count_must_be_a_strict_integer(self):
        for count in (b"+1", b"01", b" 1", b"1 ", b"", b"abc", b"1.5", b"0x1", b"--1",
                      b"99999999999999999999", b"3000000000"):
            with self.subTest(count=count):
                self.assert_protocol_error(b"*" + count + b"\r\n", "invalid multibulk length")

    def test_a_bulk_length_must_be_a_strict_integer_within_the_limit(self):
        for length in (b"-1", b"+4", b"04", b" 4", b"", b"abc", b"4.0", b"99999999999999999999",
                       b"%d" % (BULK_LENGTH_MAX + 1)):
            with self.subTest(length=length):
                self.assert_protocol_error(b"*1\r\n$" + length + b"\r\n", "invalid bulk length")

    def test_an_argument_starts_with_a_dollar(self):
        self.assert_protocol_error(b"*1\r\nPING\r\n", "expected '$', got 'P'")
        self.assert_protocol_error(b"*2\r\n$4\r\nECHO\r\n:5\r\n", "expected '$', got ':'")
        self.assert_protocol_error(b"*1\r\n*1\r\n", "expected '$', got '*'")

    def test_headers_without_an_end_are_bounded(self):
        self.assert_protocol_error(b"*" + b"1" * (INLINE_MAX + 10), "too big mbulk count string")
        self.assert_protocol_error(b"*1\r\n$" + b"1" * (INLINE_MAX + 10),
                                   "too big bulk count string")
        self.assert_protocol_error(b"a" * (INLINE_MAX + 10), "too big inline request")

    def test_commands_before_the_error_are_answered_and_those_after_are_not(self):
        client = self.client()
        client.send_raw(encode("SET", "before", "1") + b"*1\r\n?\r\n" + encode("SET", "after", "1"))
        self.assertEqual(b"+OK\r\n-ERR Protocol error: expected '$', got '?'\r\n",
                         client.read_to_end())
        check = self.client()
        self.assertEqual(b"1", check.cmd("GET", "before"))
        self.assertIsNone(check.cmd("GET", "after"))

    def test_the_error_survives_input_that_still_arrives(self):
        client = self.client()
        client.send_raw(b"*1\r\n!\r\n")
        try:
            for _ in range(100):
                client.send_raw(b"x" * 1000)
        except OSError:
            pass  # the server had closed
        self.assertTrue(client.read_to_end().startswith(b"-ERR Protocol error: expected '$'")
                        or reco_e2e.ON_REDIS)
        self.assert_alive(self.client())

    def test_a_nul_byte_does_not_hide_endless_data(self):
        for start in (b"\x00", b"*\x00", b"$\x00"):
            with self.subTest(start=start):
                answer = self.feed_until_closed(start)
                if not reco_e2e.ON_REDIS or answer:  # Redis may lose it to its own reset
                    self.assertIn(b"Protocol error", answer)
                self.assert_alive(self.client())

    def feed_until_closed(self, start):
        """Sends `start` and then endless data until the server closes; returns its answer."""
        client = self.client()
        client.send_raw(start)
        client.sock.setblocking(False)
        answer, sent = b"", 0
        deadline = time.monotonic() + reco_e2e.TIMEOUT_S
        while time.monotonic() < deadline and sent < 64 * INLINE_MAX:
            try:
                sent += client.sock.send(b"payload\n" * 128 if start != b"\x00" else b"x" * 1024)
            except BlockingIOError:
                time.sleep(0.001)
            except OSError:
                return answer
            try:
                data = client.sock.recv(1024)
                if not data:
                    return answer
                answer += data
                if b"\r\n" in answer:
                    return answer
            except BlockingIOError:
                pass
            except OSError:
                return answer
        self.fail(f"{sent} bytes taken without an end")
        return answer


class InlineRequests(ProtocolTest):
    def test_words_are_split_at_blanks_and_lines_at_lf_or_crlf(self):
        client = self.client()
        for line in (b"PING\r\n", b"PING\n", b"  PING  \r\n", b"\tPING\t\n"):
            self.assertEqual("PONG", client.raw(line))
        client.send_raw(b"SET k v\r\nGET k\nGET k\r\n")
        self.assertEqual(["OK", b"v", b"v"], [client.read_reply() for _ in range(3)])

    def test_quotes_follow_the_rules_of_redis(self):
        cases = [
            (rb'ECHO "a b"', b"a b"),
            (rb'ECHO "\x41\x0a\n\r\t\b\a\"\\"', b"A\n\n\r\t\b\a\"\\"),
            (rb'ECHO "\q"', b"q"),
            (rb"ECHO 'a b'", b"a b"),
            (rb"ECHO 'it\'s'", b"it's"),
            (rb"ECHO 'no\nescape'", rb"no\nescape"),
            (rb'ECHO ""', b""),
            (rb"ECHO plain\n", rb"plain\n"),
            (b'ECHO "\\xff\\x00"', b"\xff\x00"),
        ]
        client = self.client()
        for line, expected in cases:
            with self.subTest(line=line):
                self.assertEqual(expected, client.raw(line + b"\r\n"))

    def test_unbalanced_quotes_are_a_protocol_error(self):
        for line in (b'ECHO "open', b"ECHO 'open", b'ECHO "a"b', b"ECHO 'a'b", b'ECHO "a\\"'):
            with self.subTest(line=line):
                self.assert_protocol_error(line + b"\r\n", "unbalanced quotes in request")

    def test_a_web_page_cannot_post_commands(self):
        for line in (b"POST / HTTP/1.1\r\n", b"post /\r\n", b"Host: localhost\r\n", b"host: x\r\n"):
            with self.subTest(line=line):
                client = self.client()
                client.send_raw(line + b"SET hacked 1\r\n")
                self.assertEqual(b"", client.read_to_end())
                self.assertIsNone(self.client().cmd("GET", "hacked"))


class SlowClients(ProtocolTest):
    def test_a_connection_reset_is_routine(self):
        for _ in range(20):
            client = self.client()
            client.send_raw(encode("PING") * 10)
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        self.assert_alive(self.client())

    def test_a_client_that_does_not_read_blocks_nobody(self):
        value = "v" * 100_000
        other = self.client()
        other.cmd("SET", "big", value)
        sleeper = self.client()
        sleeper.send_raw(encode("GET", "big") * 200)
        for _ in range(50):
            self.assert_alive(other)
        for _ in range(200):
            self.assertEqual(len(value), len(sleeper.read_reply()))

    def test_the_output_buffer_limit_closes_a_client_that_does_not_read(self):
        other = self.client()
        old = other.cmd("CONFIG", "GET", "client-output-buffer-limit")[1]
        other.cmd("CONFIG", "SET", "client-output-buffer-limit", "normal 1000000 0 0")
        self.addCleanup(other.cmd, "CONFIG", "SET", "client-output-buffer-limit", old)
        other.cmd("SET", "big", "v" * 100_000)
        sleeper = self.client()
        sleeper.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        try:
            sleeper.send_raw(encode("GET", "big") * 1000)
        except OSError:
            pass  # closed while we were still sending
        self.assertLess(len(sleeper.read_to_end()), 100_000 * 1000)
        self.assert_alive(other)
        stats = reco_e2e.text(other.cmd("INFO", "stats"))
        if not reco_e2e.ON_REDIS:  # 7.0 does not count them yet
            self.assertNotIn("client_output_buffer_limit_disconnections:0\r", stats)

    def test_the_query_buffer_limit_closes_a_client_silently(self):
        other = self.client()
        old = other.cmd("CONFIG", "GET", "client-query-buffer-limit")[1]
        other.cmd("CONFIG", "SET", "client-query-buffer-limit", "1048576")
        self.addCleanup(other.cmd, "CONFIG", "SET", "client-query-buffer-limit", old)
        client = self.client()
        try:
            client.send_raw(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000000\r\n" + b"x" * 3_000_000)
        except OSError:
            pass  # closed while we were still sending
        self.assertEqual(b"", client.read_to_end())
        self.assert_alive(other)
        self.assertIsNone(other.cmd("GET", "k"))


@reco_e2e.reco_only
class RefusedTransactions(ProtocolTest):
    """There are no transactions: of what stands between MULTI and EXEC nothing is carried out."""

    MULTI = RespError("ERR transactions are not supported: no command up to EXEC or DISCARD is "
                      "carried out")
    WITHIN = RespError("EXECABORT transactions are not supported: no command since MULTI has been "
                       "carried out")

    def test_nothing_up_to_exec_is_carried_out(self):
        client = self.client()
        self.assertEqual("OK", client.cmd("SET", "a", "before"))
        commands = [("SET", "a", "within"), ("RECO.ADD", "shop", "ann", "lamp"), ("GET", "a"),
                    ("SELECT", "1"), ("MULTI",), ("WATCH", "a"), ("NOSUCH",), ("GET",),
                    ("EXEC", "x"), ("CONFIG", "SET", "timeout", "5"), ("FLUSHALL",), ("PING",)]
        for multi, end in (("MULTI", "EXEC"), ("multi", "discard")):
            replies = client.pipeline([(multi,), *commands, (end,), ("GET", "a"), ("PING",)])
            self.assertEqual(self.MULTI, replies[0])
            self.assertEqual([self.WITHIN] * (len(commands) + 1), replies[1:-2])
            self.assertEqual([b"before", "PONG"], replies[-2:])
        self.assertEqual([b"timeout", b"0"], client.cmd("CONFIG", "GET", "timeout"))
        self.assertEqual(1, client.cmd("DBSIZE"))

    def test_it_may_arrive_in_pieces_and_concerns_one_connection(self):
        client = self.client()
        self.assertEqual(self.MULTI.message, client.error("MULTI"))
        self.assertEqual("OK", self.client().cmd("SET", "a", "other"))
        self.assertEqual(self.WITHIN.message, client.error("SET", "a", "within"))
        self.assertEqual(self.WITHIN.message, client.error("EXEC"))
        self.assertEqual(b"other", client.cmd("GET", "a"))

    def test_reset_and_quit_end_it(self):
        client = self.client()
        client.error("MULTI")
        self.assertEqual("RESET", client.cmd("RESET"))
        self.assertEqual("OK", client.cmd("SET", "a", "1"))
        client.error("MULTI")
        self.assertEqual("OK", client.cmd("QUIT"))
        self.assertTrue(client.is_closed())

    def test_watch_and_an_exec_alone_change_nothing(self):
        client = self.client()
        for command in (("WATCH", "a"), ("UNWATCH",), ("EXEC",), ("DISCARD",), ("MULTI", "x")):
            self.assertIn("unknown command", client.error(*command))
            self.assertEqual("PONG", client.cmd("PING"))

    def test_auth_within_it_lets_nothing_in(self):
        with reco_e2e.Server(requirepass="secret") as server:
            client = server.client()
            replies = client.pipeline([("MULTI",), ("AUTH", "secret"), ("SET", "a", "1"), ("EXEC",),
                                       ("AUTH", "secret"), ("EXISTS", "a")])
            self.assertEqual([self.MULTI, *[self.WITHIN] * 3, "OK", 0], replies)

    def test_a_request_of_a_browser_is_still_cut_off(self):
        client = self.client()
        client.error("MULTI")
        client.send_raw(b"POST / HTTP/1.1\r\n\r\n")
        self.assertTrue(client.is_closed())


class Resp3(ProtocolTest):
    def test_null_is_the_resp3_null(self):
        client = self.client(protocol=3)
        client.send_raw(encode("GET", "missing"))
        self.assertEqual(b"_", client.read_line())
        self.client().send_raw(encode("GET", "missing"))

    def test_null_in_resp2_is_the_null_bulk(self):
        client = self.client()
        client.send_raw(encode("GET", "missing"))
        self.assertEqual(b"$-1", client.read_line())

    def test_info_is_verbatim_in_resp3_and_bulk_in_resp2(self):
        client = self.client(protocol=3)
        client.send_raw(encode("INFO", "server"))
        self.assertEqual(b"=", client.read_line()[:1])
        client = self.client()
        client.send_raw(encode("INFO", "server"))
        self.assertEqual(b"$", client.read_line()[:1])

    def test_config_get_is_a_map_in_resp3_and_flat_in_resp2(self):
        self.assertEqual({b"maxclients": b"10000"},
                         self.client(protocol=3).cmd("CONFIG", "GET", "maxclients"))
        self.assertEqual([b"maxclients", b"10000"],
                         self.client().cmd("CONFIG", "GET", "maxclients"))


class Unauthenticated(unittest.TestCase):
    """Before AUTH a peer may cost little: few and short arguments."""

    @classmethod
    def setUpClass(cls):
        cls.server = reco_e2e.Server(requirepass="secret")
        cls.addClassCleanup(cls.server.__exit__, None)

    def test_a_long_request_is_refused_before_auth(self):
        client = self.server.client()
        client.send_raw(b"*11\r\n")
        self.assertEqual(b"-ERR Protocol error: unauthenticated multibulk length\r\n",
                         client.read_to_end())
        client = self.server.client()
        client.send_raw(b"*2\r\n$4\r\nAUTH\r\n$16385\r\n")
        self.assertEqual(b"-ERR Protocol error: unauthenticated bulk length\r\n",
                         client.read_to_end())

    def test_the_largest_allowed_request_is_answered(self):
        client = self.server.client()
        self.assertTrue(client.error("AUTH", "x" * 16384).startswith("WRONGPASS"))
        self.assertTrue(client.error("GET", *["a"] * 9).startswith("ERR wrong number"))

    def test_after_auth_the_limits_are_gone(self):
        client = self.server.client(password="secret")
        self.assertEqual(b"x" * 20000, client.cmd("ECHO", "x" * 20000))
        self.assertEqual(0, client.cmd("DEL", *["a"] * 20))


if __name__ == "__main__":
    unittest.main()
