#!/usr/bin/env python3
"""Fail when a command of doc/commands.md has no end-to-end test.

doc/commands.md is made from the command table, a heading for each row: "### `RECO.ITEM SET key`".
A test in tests/e2e calls a command by its words:

- as the first arguments of a call of the client, client.cmd("RECO.ITEM", "SET", key), or of a
  function of the suite that puts "RECO." in front of its first
- as the first elements of a tuple or list that a pipeline or a table of cases holds
- as one string, "RECO.ITEM SET shop a"

A name that loops over constants, or is assigned one, stands for them.

usage: check_e2e.py [ROOT]
"""
import ast
import glob
import os
import re
import sys

HEADING = re.compile(r"^### `([^`]+)`", re.M)
WORD = re.compile(r"[A-Z][A-Z0-9.-]*$")
CALLS = {"cmd", "error", "encode"}  # of the client and the harness


def commands(text):
    """The words of each heading: the container and its subcommand, or the command alone."""
    for heading in HEADING.findall(text):
        words = []
        for word in heading.split():
            if not WORD.match(word):
                break
            words.append(word)
        yield tuple(words)


class Suite:
    """One file of tests."""

    def __init__(self, source):
        nodes = list(ast.walk(ast.parse(source)))
        documentation = {node.value for node in nodes if isinstance(node, ast.Expr)
                         and isinstance(node.value, ast.Constant)}
        self.nodes = [node for node in nodes if node not in documentation]
        self.names = {}  # of variables, and what they stand for
        self.rows = {}   # of variables that hold tuples or lists
        for _ in range(3):  # a name may stand for another
            for node in self.nodes:
                self.learn(node)
        self.prefixing = {node.name for node in self.nodes if isinstance(node, ast.FunctionDef)
                          and any(self.puts_prefix(call, node) for call in ast.walk(node))}

    def learn(self, node):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            self.rows.setdefault(name, []).extend(self.elements(node.value))
            self.names.setdefault(name, set()).update(self.words(node.value))
        elif isinstance(node, (ast.For, ast.comprehension)):
            target = node.target
            parts = target.elts if isinstance(target, ast.Tuple) else [target]
            for row in self.elements(node.iter):
                values = self.elements(row) if isinstance(target, ast.Tuple) else [row]
                for part, value in zip(parts, values):
                    if isinstance(part, ast.Name):
                        self.names.setdefault(part.id, set()).update(self.words(value))

    def elements(self, node):
        if isinstance(node, (ast.Tuple, ast.List)):
            return node.elts
        return self.rows.get(node.id, []) if isinstance(node, ast.Name) else []

    def words(self, node):
        """What the expression may be, in upper case."""
        if isinstance(node, ast.Constant):
            value = node.value
            value = value.decode("latin-1") if isinstance(value, bytes) else value
            return {value.upper()} if isinstance(value, str) else set()
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return {a + b for a in self.words(node.left) for b in self.words(node.right)}
        return set(self.names.get(node.id, ())) if isinstance(node, ast.Name) else set()

    def puts_prefix(self, node, function):
        """Whether the node calls the client with "RECO." + a parameter of the function."""
        if not isinstance(node, ast.Call) or called(node) not in CALLS or not node.args:
            return False
        first = node.args[0]
        return (isinstance(first, ast.BinOp) and self.words(first.left) == {"RECO."} and
                isinstance(first.right, ast.Name) and
                first.right.id in {arg.arg for arg in function.args.args})

    def calls(self):
        """(first word,) and (first word, second word) of everything that looks like a call."""
        for node in self.nodes:
            row, prefixes = [], [""]
            if isinstance(node, ast.Call) and called(node) in CALLS | self.prefixing:
                row = node.args
                prefixes += ["RECO."] if called(node) in self.prefixing else []
            elif isinstance(node, (ast.Tuple, ast.List)):
                row = node.elts
            elif isinstance(node, ast.Constant):
                for text in self.words(node):
                    if " " in text.strip():
                        yield tuple(text.split()[:1])
                        yield tuple(text.split()[:2])
                continue
            for first in self.words(row[0]) if row else ():
                for second in self.words(row[1]) if len(row) > 1 else ():
                    yield from ((prefix + first, second) for prefix in prefixes)
                yield from ((prefix + first,) for prefix in prefixes)


def called(node):
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    with open(os.path.join(root, "doc/commands.md"), encoding="utf-8") as file:
        wanted = list(commands(file.read()))
    tested = set()
    for path in sorted(glob.glob(os.path.join(root, "tests/e2e/*.py"))):
        with open(path, encoding="utf-8") as file:
            tested.update(Suite(file.read()).calls())
    missing = [words for words in wanted if words not in tested]
    for words in missing:
        print(f"doc/commands.md: no test in tests/e2e calls {' '.join(words)}")
    if not wanted:
        print("doc/commands.md: no commands found")
    if not missing and wanted:
        print(f"{len(wanted)} commands have end-to-end tests")
    return 1 if missing or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
