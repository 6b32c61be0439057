#!/usr/bin/env python3
"""tools/check_e2e.py against small suites: what counts as a call of a command, and what not."""
import os
import subprocess
import sys
import tempfile
import unittest

CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/check_e2e.py")

COMMANDS = """# Commands

## Recommendations

### `RECO.ITEM GET key item`

Text with `RECO.OTHER`.

### `RECO.RULE key <SET name|LIST>`

### `COMMAND`

### `CLIENT NO-EVICT <ON|OFF>`
"""
CALLS = {"RECO.ITEM GET": 'client.cmd("RECO.ITEM", "GET", "shop", "a")\n',
         "RECO.RULE": 'client.error("reco.rule", "shop", "LIST")\n',
         "COMMAND": 'client.pipeline([("COMMAND",)])\n',
         "CLIENT NO-EVICT": 'client.pipeline([["CLIENT", "NO-EVICT", "ON"]])\n'}
ALL = "".join(CALLS.values())


class CheckE2e(unittest.TestCase):
    def check(self, suites, commands=COMMANDS):
        """(exit status, output) for tests/e2e with these files."""
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.join(root, "doc"))
            os.makedirs(os.path.join(root, "tests/e2e"))
            with open(os.path.join(root, "doc/commands.md"), "w", encoding="utf-8") as file:
                file.write(commands)
            for i, suite in enumerate(suites):
                path = os.path.join(root, f"tests/e2e/test_{i}.py")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(suite)
            done = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.stderr, "")
            return done.returncode, done.stdout

    def missing(self, *suites):
        """The commands that it misses."""
        status, output = self.check(suites)
        lines = output.splitlines() if status else []
        start = "doc/commands.md: no test in tests/e2e calls "
        self.assertTrue(all(line.startswith(start) for line in lines), output)
        return [line[len(start):] for line in lines]

    def test_every_command_called(self):
        self.assertEqual((0, "4 commands have end-to-end tests\n"), self.check([ALL]))

    def test_each_missing_command_is_named(self):
        self.assertEqual(list(CALLS), self.missing("# nothing\n"))
        for words, call in CALLS.items():
            with self.subTest(words):
                self.assertEqual([words], self.missing(ALL.replace(call, "")))

    def test_calls_may_lie_in_several_files(self):
        self.assertEqual([], self.missing(*CALLS.values()))

    def missed(self, suite):
        """Whether the suite, with calls of all the others, leaves RECO.ITEM GET out."""
        rest = ALL.replace("RECO.ITEM", "RECO.USER")
        return "RECO.ITEM GET" in self.missing(rest, suite)

    def test_forms_of_a_call(self):
        for suite in ('client.cmd(b"reco.item", b"get", "shop")\n',
                      'client.send_raw(b"RECO.ITEM GET shop a\\r\\n")\n',
                      'CASES = [(("RECO.ITEM", "GET"), "ERR")]\n',
                      'for verb in ("GET", "DEL"):\n    client.cmd("RECO.ITEM", verb, "a")\n',
                      'SIDES = ("USER", "ITEM")\nfor side in SIDES:\n    command = "RECO." + side\n'
                      '    client.cmd(command, "GET")\n',
                      'for name, verbs in [("ITEM", 1)]:\n    client.cmd("RECO." + name, "get")\n',
                      'def reco(self, name, *args):\n    return client.cmd("RECO." + name, *args)\n'
                      'self.reco("ITEM", "GET", "shop")\n'):
            with self.subTest(suite):
                self.assertFalse(self.missed(suite))

    def test_what_is_no_call(self):
        for suite in ('"""RECO.ITEM GET is tested elsewhere."""\n',
                      '# client.cmd("RECO.ITEM", "GET")\n',
                      'client.cmd("RECO.ITEM", "SET", "GET")\n', 'client.cmd("GET", "RECO.ITEM")\n',
                      'client.cmd("ITEM", "GET")\n', 'print("RECO.ITEM", "GET")\n',
                      'name = "RECO.ITEM"\n'):
            with self.subTest(suite):
                self.assertTrue(self.missed(suite))

    def test_a_document_without_commands_is_an_error(self):
        self.assertEqual((1, "doc/commands.md: no commands found\n"),
                         self.check([ALL], "# Nothing\n"))


if __name__ == "__main__":
    unittest.main()
