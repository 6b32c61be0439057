"""The harness of the end-to-end tests: a server process on its own folder and a raw RESP client.

    class MyTest(reco_e2e.ServerTest):      # one server for the class, a fresh database per test
        def test_ping(self):
            self.assertEqual("PONG", self.client().cmd("PING"))

    with reco_e2e.Server(maxclients=3) as server:      # or a server of one's own
        server.client(protocol=3).cmd("HELLO")

Environment: RECO_BIN is the folder of the binaries (default build/release/bin of this tree).
RECO_E2E_SERVER=redis runs redis-server instead, to hold the tests of shared commands to the
original; tests marked @reco_only are then skipped. Standard library only.
"""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("RECO_BIN") or os.path.join(ROOT, "build", "release", "bin"))
ON_REDIS = os.environ.get("RECO_E2E_SERVER") == "redis"
HOST = "127.0.0.1"
TIMEOUT_S = 20  # of any one answer; long enough for a loaded two-core machine
START_S = 60

reco_only = unittest.skipIf(ON_REDIS, "redis-server has no such command or option")


class RespError(Exception):
    """An error reply; `message` is its whole text, `code` the first word."""

    def __init__(self, message):
        super().__init__(message)
        self.message = message
        self.code = message.split(" ", 1)[0]

    def __eq__(self, other):
        return isinstance(other, RespError) and other.message == self.message

    __hash__ = Exception.__hash__


class Push(list):
    """A RESP3 push frame."""


class ConnectionClosed(Exception):
    """The server closed the connection while a reply was due."""


class StartFailed(Exception):
    """The server ended instead of serving: `code` and its `output`."""

    def __init__(self, code, output):
        super().__init__(f"exit code {code}: {output}")
        self.code = code
        self.output = output


def encode(*args):
    """The request bytes of one command; str, bytes, int and float arguments."""
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        data = arg if isinstance(arg, (bytes, bytearray)) else str(arg).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


def text(value):
    """`value` with every byte string in it decoded."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict):
        return {text(k): text(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return type(value)(text(v) for v in value)
    return value


def as_map(value):
    """A map reply as a dict with str keys: the flat array of RESP2 or the map of RESP3."""
    pairs = value.items() if isinstance(value, dict) else zip(value[::2], value[1::2])
    return {text(k): v for k, v in pairs}


def _hashable(value):
    return tuple(_hashable(v) for v in value) if isinstance(value, list) else value


class Resp:
    """One connection. Bulk strings arrive as bytes, simple strings as str, nulls as None, RESP3
    maps as dict, sets of scalars as set, doubles as float, pushes as Push. An error reply raises
    RespError; inside arrays and pipelines it is a value."""

    def __init__(self, port, protocol=2, db=0, password=None, timeout_s=TIMEOUT_S, host=HOST):
        self.sock = socket.create_connection((host, port), timeout_s)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb", buffering=65536)
        try:
            if password is not None:
                self.cmd("AUTH", password)
            if protocol != 2:
                self.cmd("HELLO", protocol)
            if db:
                self.cmd("SELECT", db)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.sock.close()

    def cmd(self, *args):
        """Sends one command and returns its reply."""
        self.sock.sendall(encode(*args))
        return self.read_reply()

    def error(self, *args):
        """Sends one command that must fail; returns the text of its error."""
        try:
            reply = self.cmd(*args)
        except RespError as error:
            return error.message
        raise AssertionError(f"{args!r} answered {reply!r} instead of an error")

    def pipeline(self, commands):
        """Sends all commands (tuples) at once; returns their replies, errors as values."""
        self.sock.sendall(b"".join(encode(*command) for command in commands))
        return [self.read_value() for _ in commands]

    def send_raw(self, data):
        self.sock.sendall(data)

    def read_reply(self):
        value = self.read_value()
        if isinstance(value, RespError):
            raise value
        return value

    def raw(self, data):
        """Sends `data` as it is; returns the next reply, an error as a value."""
        self.send_raw(data)
        return self.read_value()

    def read_line(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionClosed(f"closed after {line!r}")
        return line[:-2]

    def read_value(self):
        line = self.read_line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return RespError(rest.decode(errors="backslashreplace"))
        if kind == b":":
            return int(rest)
        if kind in (b"$", b"="):
            return self._read_bulk(int(rest), kind)
        if kind in (b"*", b"~", b">"):
            return self._read_array(int(rest), kind)
        if kind == b"%":
            return {_hashable(self.read_value()): self.read_value() for _ in range(int(rest))}
        if kind == b"_":
            return None
        if kind == b",":
            return float(rest)
        if kind == b"#":
            return rest == b"t"
        if kind == b"(":
            return int(rest)
        raise AssertionError(f"no reply starts like {line!r}")

    def _read_bulk(self, length, kind):
        if length < 0:
            return None
        data = self.file.read(length + 2)
        if len(data) != length + 2:
            raise ConnectionClosed("closed inside a bulk string")
        if data[-2:] != b"\r\n":
            raise AssertionError("a bulk string without its terminator")
        return data[4:-2] if kind == b"=" else data[:-2]

    def _read_array(self, count, kind):
        if count < 0:
            return None
        values = [self.read_value() for _ in range(count)]
        if kind == b">":
            return Push(values)
        if kind == b"~" and not any(isinstance(v, (list, dict, set)) for v in values):
            return set(values)
        return values

    def read_to_end(self):
        """All bytes up to the server's close; TimeoutError when it does not close."""
        try:
            return self.file.read()
        except ConnectionResetError:
            return b""

    def is_closed(self):
        """True when the server closes (or has closed) without another byte."""
        return self.read_to_end() == b""


def free_port():
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return sock.getsockname()[1]


def server_binary():
    return shutil.which("redis-server") if ON_REDIS else os.path.join(BIN, "reco-server")


def option_args(options):
    """Keyword arguments as command-line options: max_clients=3 is `--max-clients 3`; a list is
    several values."""
    args = []
    for name, value in options.items():
        args.append("--" + name.replace("_", "-"))
        args += [str(v) for v in value] if isinstance(value, (list, tuple)) else [str(value)]
    return args


class Server:
    """A server process. Starts at once, waits until it answers; keyword arguments are its options.
    `directory` keeps the data (default: a temporary one, removed at close), `config` is the text of
    a configuration file, `prefix` a command to run it under, `preexec` runs in the child."""

    def __init__(self, directory=None, config=None, prefix=(), preexec=None, **options):
        self.base = tempfile.mkdtemp(prefix="reco-e2e-")
        self.dir = directory or os.path.join(self.base, "data")
        self.options = options
        self.prefix = list(prefix)
        self.preexec = preexec
        self.config_path = None
        self.log_path = os.path.join(self.base, "output.log")
        self.process = None
        self.port = None
        self.clients = []
        if config is not None:
            self.config_path = os.path.join(self.base, "test.conf")
            with open(self.config_path, "w", encoding="utf-8") as file:
                file.write(config)
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None and self.running():
                self.stop()
        finally:
            self.close()

    def command(self):
        args = self.prefix + [server_binary()]
        if self.config_path:
            args.append(self.config_path)
        args += ["--port", str(self.port), "--dir", self.dir]
        if ON_REDIS:
            os.makedirs(self.dir, exist_ok=True)
            args += ["--save", "", "--appendonly", "yes"]
        return args + option_args(self.options)

    def start(self):
        """Starts the process and waits until it answers; StartFailed when it ends instead."""
        for attempt in range(3):
            self.port = free_port()
            with open(self.log_path, "ab") as log:
                self.process = subprocess.Popen(
                    self.command(), stdin=subprocess.DEVNULL, stdout=log,
                    stderr=subprocess.STDOUT, cwd=self.base, preexec_fn=self.preexec)
            try:
                return self._wait_ready()
            except StartFailed as failure:  # somebody took the port in between
                if attempt == 2 or "in use" not in failure.output:
                    raise
        return None

    def _wait_ready(self):
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            code = self.process.poll()
            if code is not None:
                raise StartFailed(code, self.output())
            try:
                with Resp(self.port) as client:
                    client.send_raw(encode("PING"))
                    reply = client.read_value()
                if not (isinstance(reply, RespError) and reply.code == "LOADING"):
                    return
            except (OSError, ConnectionClosed):
                pass
            time.sleep(0.01)
        raise AssertionError(f"the server does not answer PING: {self.output()}")

    def output(self):
        """What the process has printed so far."""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def wait_exit(self, timeout_s=START_S):
        """The exit code, once the process has ended."""
        return self.process.wait(timeout_s)

    def stop(self, sig=signal.SIGTERM):
        """Ends the process by a signal; it must leave with code 0."""
        self.process.send_signal(sig)
        code = self.wait_exit()
        if code != 0:
            raise AssertionError(f"exit code {code} after {sig!r}: {self.output()[-4000:]}")

    def kill9(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        """Stops it when it runs, and starts it again on the same folder."""
        if self.running():
            self.stop()
        self.start()

    def client(self, protocol=2, db=0, **kwargs):
        """A new connection; closed with the server at the latest."""
        client = Resp(self.port, protocol=protocol, db=db, **kwargs)
        self.clients.append(client)
        return client

    def close(self):
        """Closes the clients, kills the process if it still runs, removes the temporary folder."""
        for client in self.clients:
            client.close()
        if self.running():
            self.kill9()
        shutil.rmtree(self.base, ignore_errors=True)


class ServerTest(unittest.TestCase):
    """A test case with one server for the class; the databases are emptied before every test.
    `options` are the server's options, `self.client()` a connection closed at the end."""

    options = {}

    @classmethod
    def setUpClass(cls):
        cls.server = Server(**cls.options)
        cls.addClassCleanup(cls.server.__exit__, None)

    def setUp(self):
        with self.server.client(password=self.options.get("requirepass")) as client:
            client.cmd("FLUSHALL")

    def client(self, protocol=2, db=0, **kwargs):
        client = self.server.client(protocol=protocol, db=db, **kwargs)
        self.addCleanup(client.close)
        return client


def run_server(*args, timeout_s=START_S, **kwargs):
    """Runs the server binary with `args` to its end; returns (exit code, output)."""
    done = subprocess.run([server_binary(), *args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout_s,
                          check=False, **kwargs)
    return done.returncode, done.stdout.decode(errors="replace")


def eventually(condition, timeout_s=TIMEOUT_S):
    """Waits until `condition()` is true and returns its value; AssertionError when it never is."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"condition still false after {timeout_s} s")
