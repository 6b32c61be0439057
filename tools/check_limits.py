#!/usr/bin/env python3
"""Fail when doc/limits.md names a bound that the code does not have.

Each row of its tables is | what | set by | value | in | test |. "Set by" is a constant, whose file
"in" names, or an option of doc/options.md, where "in" is empty. The value begins with a number
(10,000 or 1e6, KiB, MiB or GiB behind it), which must be that of the constant, or the option's
default where that is a number. Every file that "in" or "test" names must exist.

usage: check_limits.py [ROOT]
"""
import ast
import operator
import os
import re
import sys
from typing import Iterator, Optional

DOCUMENT = "doc/limits.md"
OPTIONS = "doc/options.md"
HEADER = ["what", "set by", "value", "in", "test"]
OPTION = re.compile(r"option `([a-z-]+)`")
CONSTANT = re.compile(r"`(?:\w+::)*(\w+)`")
VALUE = re.compile(r"(\d[\d,]*(?:\.\d+)?(?:e\d+)?)(?: ([KMG])iB\b)?(?![\w.])")
DEFAULT = re.compile(r"(\d+)([kmg]?b?)")
LITERAL = re.compile(r"\b(0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?)[uUlL]*\b")
BINARY = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 10**6, "mb": 1 << 20, "g": 10**9,
         "gb": 1 << 30}
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
             ast.LShift: operator.lshift}


def read(root: str, path: str) -> str:
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of each row of a table with our header."""
    ours = False
    for number, line in enumerate(text.split("\n"), 1):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            ours = False
        elif cells == HEADER:
            ours = True
        elif ours and set(line) - set("|-"):
            yield number, cells


def evaluate(expression: str) -> Optional[float]:
    """The number that a C++ expression of literals stands for; None when it holds more."""
    plain = re.sub(r"//[^\n]*|'|std::\w+\{(\w+)\}", r"\1", expression)

    def of(node: ast.expr) -> float:
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return node.value
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](of(node.left), of(node.right))
        raise SyntaxError
    try:
        return of(ast.parse(LITERAL.sub(r"\1", plain).strip(), mode="eval").body)
    except (SyntaxError, ValueError):
        return None


def of_constant(root: str, name: str, path: str) -> tuple[Optional[float], str]:
    """(the constant's value, or what is wrong with it)"""
    found = re.search(rf"\b{name}\s*=(?!=)\s*([^;]+);", read(root, path))
    if not found:
        return None, f"{path} does not define {name}"
    value = evaluate(found[1])
    return value, "" if value is not None else f"cannot read the value of {name} in {path}"


def of_option(root: str, name: str) -> tuple[Optional[float], str]:
    """(the option's default where it is a number, or what is wrong with it)"""
    found = re.search(rf"^\| `{name}` \| `([^`]*)` \|", read(root, OPTIONS), re.M)
    number = DEFAULT.fullmatch(found[1]) if found else None
    value = int(number[1]) * UNITS[number[2]] if number else None
    return value, "" if found else f"{OPTIONS} has no option {name}"


def findings(root: str, cells: list[str]) -> Iterator[str]:
    """What is wrong with one row."""
    if len(cells) != len(HEADER):
        yield f"{len(cells)} cells, not {len(HEADER)}"
        return
    _, set_by, value, where, test = cells
    sources = re.findall(r"[\w./-]+/[\w.-]+", where)
    tests = re.findall(r"tests/[\w./-]+", test)
    missing = [path for path in sources + tests if not os.path.exists(os.path.join(root, path))]
    yield from (f"no such file: {path}" for path in missing)
    if not tests and not test.startswith("none"):
        yield "names no test, and does not say none"
    option, constant = OPTION.fullmatch(set_by), CONSTANT.fullmatch(set_by)
    if not missing and option:
        real, wrong = of_option(root, option[1])
    elif not missing and constant and len(sources) == 1:
        real, wrong = of_constant(root, constant[1], sources[0])
    else:
        real, wrong = None, "" if missing else "names neither a constant and its file nor an option"
    if wrong:
        yield wrong
    said = VALUE.match(value)
    told = float(said[1].replace(",", "")) * BINARY[said[2] or ""] if said else None
    if real is not None and told != real:
        yield f"{set_by.replace('`', '')} is {real:,}, not {value}"


def main() -> int:
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    bad, count = [], 0
    for number, cells in rows(read(root, DOCUMENT)):
        count += 1
        bad += [f"{DOCUMENT}:{number}: {what}" for what in findings(root, cells)]
    if count == 0:
        bad.append(f"{DOCUMENT}: no limits found")
    print("\n".join(bad) if bad else f"{count} limits as the code has them")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
