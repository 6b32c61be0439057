"""The daemon is killed with -9 at random moments under eight pipelining clients; afterwards every
acknowledged write must be there, and of the others only what came first.

Each client owns its users and string keys and sends one stream of writes. What it may find after
a crash is its acknowledged writes followed by a prefix of those still in flight, nothing else.
RECO_CRASH_ROUNDS (default 20) rounds a policy, RECO_CRASH_FLUSH_ROUNDS (default 25) with tables
written all the time; RECO_CRASH_SEED repeats the draws of a run.
"""
import os
import random
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import reco_e2e  # noqa: E402
from reco_e2e import RespError, as_map  # noqa: E402

ROUNDS = int(os.environ.get("RECO_CRASH_ROUNDS", "20"))
FLUSH_ROUNDS = int(os.environ.get("RECO_CRASH_FLUSH_ROUNDS", "25"))
SEED = int(os.environ.get("RECO_CRASH_SEED", "0")) or random.SystemRandom().randrange(1 << 32)
CLIENTS, USERS, ITEMS, STRINGS, PIPELINE = 8, 30, 50, 100, 25
LOAD_S = (0.05, 1.0)  # a round's load lasts a random time between these
FLUSH_LOAD_S = (0.02, 0.4)
WRITE_BUFFER_BYTES = 1 << 20  # is full after so many values of
VALUE_CHARACTERS = 16_000
CHECK_EVERY = 5  # rounds between offline verifications of what the kill left


def apply_write(state, command):
    """What an executed write does to a client's `state`: pair or string key -> value."""
    name = command[0]
    if name == "SET":
        state[command[1]] = command[2]
    elif name == "RECO.REM":
        state.pop(command[2:], None)
    else:
        pair, weight = command[2:4], command[4]
        old = state.get(pair, 0) if name == "RECO.ADD" else 0
        state[pair] = old + weight


class Writer:
    """One client: its stream of writes, what was acknowledged, what is still in flight."""

    def __init__(self, number):
        self.number = number
        self.draw = random.Random(SEED * 1000 + number)
        self.state = {}
        self.in_flight = []
        self.acknowledged = 0
        self.last_seq = 0
        self.failure = None

    def next_command(self):
        draw = self.draw
        if draw.random() < 0.15:
            return "SET", f"s{self.number}:{draw.randrange(STRINGS)}", str(draw.random())
        user, item = f"u{self.number}:{draw.randrange(USERS)}", f"i{draw.randrange(ITEMS)}"
        kind = draw.random()
        if kind < 0.05:
            return "RECO.REM", "shop", user, item
        weight = draw.choice((0.5, 1, 2, 3))
        return ("RECO.SET" if kind < 0.15 else "RECO.ADD"), "shop", user, item, weight

    def run(self, port):
        """Writes until the server is gone."""
        try:
            with reco_e2e.Resp(port) as client:
                while True:
                    self.send_some(client)
        except (OSError, reco_e2e.ConnectionClosed):
            pass
        except Exception as failure:  # shown by the main thread
            self.failure = failure

    def send_some(self, client):
        commands = [self.next_command() for _ in range(PIPELINE)]
        self.in_flight = list(commands)
        client.send_raw(b"".join(reco_e2e.encode(*command) for command in commands))
        for command in commands:
            reply = client.read_value()
            if isinstance(reply, RespError):
                raise AssertionError(f"{command}: {reply}")
            self.acknowledge(command, reply)

    def acknowledge(self, command, reply):
        apply_write(self.state, command)
        self.in_flight.pop(0)
        self.acknowledged += 1
        if command[0] == "RECO.ADD":
            if reply <= self.last_seq:
                raise AssertionError(f"{command}: number {reply} after {self.last_seq}")
            self.last_seq = reply

    def read_back(self, client):
        """The client's part of the database, in the form of `state`."""
        found = {}
        users = [f"u{self.number}:{n}" for n in range(USERS)]
        items = [f"i{n}" for n in range(ITEMS)]
        rows = client.pipeline([("RECO.PREF", "shop", user, *items) for user in users])
        for user, row in zip(users, rows):
            found.update({(user, item): float(weight) for item, weight in zip(items, row)
                          if weight is not None})
        names = [f"s{self.number}:{n}" for n in range(STRINGS)]
        for name, value in zip(names, client.pipeline([("GET", name) for name in names])):
            if value is not None:
                found[name] = value.decode()
        return found

    def verify(self, client):
        """Holds the database to the acknowledged writes and a prefix of those in flight, which
        becomes the client's state; returns the length of the prefix."""
        found = self.read_back(client)
        state = dict(self.state)
        for length in range(len(self.in_flight) + 1):
            if found == state:
                self.state, self.in_flight = state, []
                return length
            if length < len(self.in_flight):
                apply_write(state, self.in_flight[length])
        wrong = {key for key in self.state.keys() | found.keys()
                 if self.state.get(key) != found.get(key)}
        raise AssertionError(
            f"client {self.number} has {len(wrong)} differences after {self.acknowledged} "
            f"acknowledged and {len(self.in_flight)} unanswered writes, as "
            f"{[(k, self.state.get(k), found.get(k)) for k in sorted(wrong, key=str)[:5]]}")


class LargeWriter(Writer):
    """Half of what it writes are long strings, which fill tables."""

    def next_command(self):
        if self.draw.random() < 0.5:
            value = "%x" % self.draw.getrandbits(4 * VALUE_CHARACTERS)
            return "SET", f"s{self.number}:{self.draw.randrange(STRINGS)}", value
        return super().next_command()


def newest_table(folder):
    """The number of the newest table file, which counts all files that were written."""
    return max((int(name[:-4]) for name in os.listdir(folder) if name.endswith(".sst")), default=0)


def train_often(port, stop):
    """Keeps a training running until the server is gone, so that kills also hit a swap."""
    try:
        with reco_e2e.Resp(port) as client:
            while not stop.is_set():
                client.pipeline([("RECO.RETRAIN", "shop")])
                stop.wait(0.1)
    except (OSError, reco_e2e.ConnectionClosed):
        pass


class KillNine(unittest.TestCase):
    def kill_in_rounds(self, policy, rounds=ROUNDS, load_s=LOAD_S, writer=Writer, **options):
        """Returns the server's folder at the end."""
        draw = random.Random(SEED)
        writers = [writer(number) for number in range(CLIENTS)]
        options.setdefault("checkpoint_events", 2000)
        server = reco_e2e.Server(appendfsync=policy, **options)
        self.addCleanup(server.close)
        server.client().cmd("RECO.CREATE", "shop", "DIM", 16, "ITERATIONS", 3)
        for number in range(rounds):
            self.load_and_kill(server, writers, draw.uniform(*load_s), trains=number % 3 == 0)
            if number % CHECK_EVERY == CHECK_EVERY - 1:
                self.check(server)
            server.start()
            with server.client() as client:
                survived = sum(writer.verify(client) for writer in writers)
                last_seq = as_map(client.cmd("RECO.INFO", "shop"))["last-seq"]
                self.assertGreaterEqual(int(last_seq), max(w.last_seq for w in writers))
        acknowledged = sum(writer.acknowledged for writer in writers)
        self.assertGreater(acknowledged, rounds * CLIENTS)
        server.stop()
        self.check(server)
        print(f"{policy}: {rounds} kills, {acknowledged} acknowledged writes, none missing; "
              f"{survived} unanswered ones of the last round were kept", file=sys.stderr)
        return server.dir

    def load_and_kill(self, server, writers, seconds, trains):
        stop = threading.Event()
        threads = [threading.Thread(target=writer.run, args=(server.port,)) for writer in writers]
        if trains:
            threads.append(threading.Thread(target=train_often, args=(server.port, stop)))
        for thread in threads:
            thread.start()
        stop.wait(seconds)
        server.kill9()
        stop.set()
        for thread in threads:
            thread.join(reco_e2e.TIMEOUT_S)
            self.assertFalse(thread.is_alive())
        for writer in writers:
            if writer.failure:
                raise writer.failure

    def check(self, server):
        code, output = reco_e2e.run_server("--check", "--dir", server.dir, timeout_s=120)
        self.assertEqual(0, code, output)

    def test_always(self):
        self.kill_in_rounds("always")

    def test_everysec(self):
        self.kill_in_rounds("everysec")

    def test_amid_flushes_and_compactions(self):
        folder = self.kill_in_rounds("everysec", rounds=FLUSH_ROUNDS, load_s=FLUSH_LOAD_S,
                                     writer=LargeWriter, write_buffer_bytes=WRITE_BUFFER_BYTES,
                                     checkpoint_events=100)
        self.assertGreater(newest_table(folder), 10 * FLUSH_ROUNDS)


if __name__ == "__main__":
    print(f"RECO_CRASH_SEED={SEED}", file=sys.stderr)
    unittest.main()
