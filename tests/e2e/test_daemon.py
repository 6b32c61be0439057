"""The process as a service: signals, descriptors, a log that is moved away."""
import os
import resource
import signal
import subprocess
import unittest

import reco_e2e
from reco_e2e import eventually, text


def nofile(soft, hard=None):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard or soft))


def option(client, name):
    return text(client.cmd("CONFIG", "GET", name))[1]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


@reco_e2e.reco_only
class Signals(unittest.TestCase):
    def test_none_but_those_that_stop_it_end_it(self):
        with reco_e2e.Server() as server:
            client = server.client()
            for sig in (signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2,
                        signal.SIGXFSZ):
                server.process.send_signal(sig)
                self.assertEqual("OK", client.cmd("SET", "a", sig))
            eventually(lambda: all(f"Received signal {sig:d}, which means nothing here"
                                   in server.output()
                                   for sig in (signal.SIGUSR1, signal.SIGUSR2)))
            eventually(lambda: "Nothing has changed in the configuration" in server.output())
            server.stop()
            server.start()
            self.assertEqual(str(int(signal.SIGXFSZ)), text(server.client().cmd("GET", "a")))

    def test_they_may_come_before_the_folder_is_loaded(self):
        with reco_e2e.Server() as server:
            with server.client() as client:
                client.pipeline([("RECO.ADD", "shop", f"u{n % 999}", f"i{n % 77}")
                                 for n in range(20000)])
            server.kill9()
            with open(server.log_path, "wb") as log:
                server.process = subprocess.Popen(server.command(), stdin=subprocess.DEVNULL,
                                                  stdout=log, stderr=log, cwd=server.base)
            eventually(lambda: "starting" in server.output())
            for sig in (signal.SIGHUP, signal.SIGUSR1):
                server.process.send_signal(sig)
            server._wait_ready()
            eventually(lambda: "which means nothing here" in server.output())

    def test_a_log_whose_reader_is_gone_stops_nothing(self):
        with reco_e2e.Server() as server:
            server.stop()
            server.process = subprocess.Popen(
                server.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, cwd=server.base)
            server._wait_ready()
            server.process.stdout.close()
            client = server.client()
            client.cmd("CONFIG", "SET", "loglevel", "debug")
            for _ in range(3):
                self.assertEqual("PONG", server.client().cmd("PING"))

    def test_a_limit_of_file_sizes_is_an_error_of_the_write(self):
        limit = 4 << 20
        with reco_e2e.Server(preexec=lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY)),
                write_buffer_bytes="64mb") as server:
            client = server.client()
            with self.assertRaises(reco_e2e.RespError) as refused:
                for n in range(100):
                    client.cmd("SET", n, os.urandom(1 << 17))
            self.assertEqual("MISCONF", refused.exception.code)
            self.assertEqual("PONG", client.cmd("PING"))
            self.assertEqual(1 << 17, len(client.cmd("GET", 0)))
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE,
                             (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            eventually(lambda: self.can_set(client))

    @staticmethod
    def can_set(client):
        try:
            return client.cmd("SET", "later", "1") == "OK"
        except reco_e2e.RespError:
            return False


@reco_e2e.reco_only
class Reload(unittest.TestCase):
    """SIGHUP."""

    def reload(self, server, config=None):
        """Has the file read anew; returns what the log says of it."""
        if config is not None:
            with open(server.config_path, "w", encoding="utf-8") as file:
                file.write(config)
        before = len(server.output())
        server.process.send_signal(signal.SIGHUP)
        ends = ("Nothing has changed", "The configuration is taken over", "not taken over")
        eventually(lambda: any(end in server.output()[before:] for end in ends))
        return server.output()[before:]

    def test_what_has_changed_in_the_file_is_taken_over(self):
        with reco_e2e.Server(config="timeout 100\nmaxmemory 1gb\nrequirepass one\n",
                             tcp_keepalive=77) as server:
            client = server.client(password="one")
            client.cmd("CONFIG", "SET", "client-query-buffer-limit", "2mb")
            log = self.reload(server, "timeout 200\nrequirepass two\ntcp-keepalive 5\n"
                                      "loglevel verbose\ndatabases 4\n")
            self.assertIn("option 'timeout' is now '200'", log)
            self.assertIn("option 'maxmemory' is now '0'", log)  # its line is gone
            self.assertIn("option 'requirepass' is now another", log)
            self.assertNotIn("two", log)
            self.assertIn("option 'databases' has changed: effective from the next start on", log)
            self.assertNotIn("tcp-keepalive", log)
            self.assertEqual(["200", "0", "two", "77", "verbose", "16", str(2 << 20)],
                             [option(client, name) for name in (
                                 "timeout", "maxmemory", "requirepass", "tcp-keepalive",
                                 "loglevel", "databases", "client-query-buffer-limit")])
            self.assertIn("NOAUTH", server.client().error("PING"))
            # What CONFIG SET says holds until the file says something else.
            client.cmd("CONFIG", "SET", "timeout", "300")
            self.assertNotIn("timeout", self.reload(server))
            self.assertEqual("300", option(client, "timeout"))
            self.reload(server, "timeout 400\n")
            self.assertEqual("400", option(client, "timeout"))

    def test_a_file_with_an_error_changes_nothing(self):
        with reco_e2e.Server(config="timeout 100\n") as server:
            client = server.client()
            for config in ("timeout 200\nno-such-option 1\n", "timeout 200\nmaxmemory lots\n"):
                log = self.reload(server, config)
                self.assertRegex(log, "configuration not taken over: .*test.conf:2: ")
                self.assertEqual("100", option(client, "timeout"))
            os.remove(server.config_path)
            self.assertIn("not taken over: cannot read", self.reload(server))
            self.assertEqual("100", option(client, "timeout"))

    def test_what_cannot_be_is_refused_and_the_rest_taken_over(self):
        with reco_e2e.Server(config="maxclients 50\n", preexec=nofile(500)) as server:
            log = self.reload(server, "maxclients 400\ntimeout 100\n")
            self.assertRegex(log, "option 'maxclients' refused: .*not able to handle")
            self.assertEqual(["50", "100"], [option(server.client(), name)
                                             for name in ("maxclients", "timeout")])

    def test_the_log_file_is_opened_anew(self):
        with reco_e2e.Server(logfile="server.log") as server:
            path = os.path.join(server.base, "server.log")
            os.rename(path, path + ".1")
            server.process.send_signal(signal.SIGHUP)
            eventually(lambda: os.path.exists(path) and "Nothing has changed" in read(path))
            self.assertIn("Ready to accept", read(path + ".1"))


@reco_e2e.reco_only
class Descriptors(unittest.TestCase):
    LIMIT = 1024

    def test_all_clients_and_an_import_fit_into_the_limit(self):
        with reco_e2e.Server(preexec=nofile(self.LIMIT), write_buffer_bytes="1mb",
                             checkpoint_events=100) as server:
            maxclients = int(option(server.client(), "maxclients"))
            self.assertLess(maxclients, self.LIMIT)
            self.assertIn(f"Open files: {self.LIMIT} allowed", server.output())
            self.assertIn(f"maxclients lowered to {maxclients}", server.output())
            clients = [server.client() for _ in range(maxclients - 1)]
            for client in clients:
                self.assertEqual("PONG", client.cmd("PING"))
            # A flood of those who are refused, half of whom never look at their answer.
            flood = [server.client() for _ in range(300)]
            most = 0
            value = os.urandom(20000)
            for n in range(600):
                clients[0].cmd("SET", n % 200, value)
                clients[1].cmd("RECO.MADD", "shop", *[w for i in range(100) for w in (
                    f"u{n * 37 % 5000 + i}", f"i{(n + i * 7) % 3000}", 1)])
                most = max(most, open_files(server.process.pid))
            self.assertLess(most, self.LIMIT)
            self.assertNotIn("Too many open files", server.output())
            for client in flood:
                client.close()
            self.assertEqual("PONG", clients[-1].cmd("PING"))

    def test_the_soft_limit_is_raised(self):
        with reco_e2e.Server(preexec=nofile(64, 4096), maxclients=1000) as server:
            self.assertEqual("1000", option(server.client(), "maxclients"))
            self.assertGreater(
                resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[0], 1512)
            self.assertEqual("OK", server.client().cmd("CONFIG", "SET", "maxclients", "2000"))
            self.assertIn("not able to handle",
                          server.client().error("CONFIG", "SET", "maxclients", "4000"))
            self.assertEqual("2000", option(server.client(), "maxclients"))

    def test_too_small_a_limit_is_refused_with_the_number_that_is_enough(self):
        for limit in (22, 60, 150):
            with self.assertRaises(reco_e2e.StartFailed) as failed:
                reco_e2e.Server(preexec=nofile(limit)).close()
            self.assertEqual(1, failed.exception.code)
            self.assertIn(f"the limit of open files is {limit}, but at least ",
                          failed.exception.output)
        enough = int(failed.exception.output.split("but at least ")[1].split(" ")[0])
        with reco_e2e.Server(preexec=nofile(enough)) as server:
            client = server.client()
            for n in range(3000):
                client.cmd("RECO.ADD", "shop", f"u{n}", f"i{n % 99}")
            self.assertEqual("OK", client.cmd("SET", "a", "1"))

    def test_closed_standard_streams_are_no_data_files(self):
        for closed in ((0,), (1,), (2,), (0, 1, 2)):
            with reco_e2e.Server(logfile="server.log", loglevel="debug",
                                 preexec=lambda fds=closed: [os.close(fd) for fd in fds]) as server:
                for fd in closed:
                    self.assertEqual("/dev/null",
                                     os.readlink(f"/proc/{server.process.pid}/fd/{fd}"))
                self.assertEqual("OK", server.client().cmd("SET", "a", "1"))


if __name__ == "__main__":
    unittest.main()
