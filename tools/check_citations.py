#!/usr/bin/env python3
"""Fail when a comment or a RECO_DCHECK cites an invariant (I7) or a decision (D13) that the
documents do not state, when no source under src cites an invariant, or when the documents disagree.

doc/architecture.md states an invariant in a table row that begins with "| I7 |".
doc/decisions/README.md states a decision in bold, "**D12. Sockets in readiness style**"; one with a
page of its own in a line "**D13.** [Title](0013-title.md)". The page is doc/decisions/0013-title.md
and begins with "# D13. ". A number is stated once, and file name, heading and line agree on it.

usage: check_citations.py [ROOT]
"""
import os
import re
import sys

FOLDERS = ("src", "include", "tools", "bench", "tests")
SKIP_FOLDERS = {"build", "node_modules", "target", "__pycache__", "corpus"}
SLASHES = (".h", ".cc", ".c", ".fbs")
HASHES = (".py", ".sh", ".cmake", ".txt")

INVARIANTS = "doc/architecture.md"
DECISIONS = "doc/decisions/README.md"
INVARIANT = re.compile(r"^\|\s*(I\d+)\s*\|", re.M)
DECISION = re.compile(r"\*\*(D\d+)\.")
LINKED = re.compile(r"^\*\*(D\d+)\.\*\* \[[^\]\n]+\]\(([^)\s]+\.md)\)", re.M)
PAGE_NAME = re.compile(r"(\d{4})-[a-z0-9-]+\.md")
PAGE_HEADING = re.compile(r"# (D\d+)\. \S")
# As a word by itself, behind a blank or a bracket and in front of punctuation: not D^2, I/O, 0xD1,
# O(N*D1), D1[3], D1_t, D1(x), I4::kSize or v.D1; nor D1 = 3.
CITED = re.compile(r"(?<![^\s(\[])([ID][1-9]\d*)(?=$|[\s,;:)\]]|\.(?:\s|$))(?!::|\s*[=*+<>])")
DCHECK = re.compile(r"\bRECO_DCHECK\s*\(")
# A comment, or what only looks as if it held one.
SLASH_TOKENS = re.compile(r"""
    (?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
  | R"(?P<mark>[^()\\\s]*)\(.*?\)(?P=mark)"
  | "(?:\\.|[^"\\\n])*"
  | (?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'
""", re.X | re.S)
HASH_TOKENS = re.compile(r"""
    (?P<comment>\#[^\n]*|\"{3}.*?\"{3})
  | "(?:\\.|[^"\\\n])*"
  | '(?:\\.|[^'\\\n])*'
""", re.X | re.S)


def files(root, folder):
    for base, folders, names in os.walk(os.path.join(root, folder)):
        folders[:] = sorted(f for f in folders if f not in SKIP_FOLDERS)
        for name in sorted(names):
            if name.endswith(SLASHES + HASHES):
                yield os.path.relpath(os.path.join(base, name), root)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def stated(root):
    """(the names that the documents state, what is wrong with how they do)"""
    names, bad = set(), []
    for path, pattern in ((INVARIANTS, INVARIANT), (DECISIONS, DECISION)):
        exists = os.path.exists(os.path.join(root, path))
        found = pattern.findall(read(root, path)) if exists else []
        bad += [f"{path}: {n} is stated twice" for n in sorted(set(found)) if found.count(n) > 1]
        names.update(found)
    return names, bad + check_pages(root)


def check_pages(root):
    """What is wrong with the pages of decisions and the lines that link them."""
    folder = os.path.join(root, os.path.dirname(DECISIONS))
    linked, bad = {}, []
    if os.path.exists(os.path.join(root, DECISIONS)):
        linked = {page: name for name, page in LINKED.findall(read(root, DECISIONS))}
    pages = {n for n in os.listdir(folder) if n.endswith(".md")} if os.path.isdir(folder) else set()
    for page in sorted(pages - {os.path.basename(DECISIONS)}):
        path = f"{os.path.dirname(DECISIONS)}/{page}"
        named, heading = PAGE_NAME.fullmatch(page), PAGE_HEADING.match(read(root, path))
        if not named:
            bad.append(f"{path}: not named NNNN-title.md")
        elif not heading:
            bad.append(f'{path}: does not begin with "# D{int(named[1])}. "')
        elif heading[1] != f"D{int(named[1])}":
            bad.append(f"{path}: the heading says {heading[1]}")
        elif page not in linked:
            bad.append(f"{DECISIONS}: no line links {page}")
        elif linked[page] != heading[1]:
            bad.append(f"{DECISIONS}: links {page} as {linked[page]}")
    return bad + [f"{DECISIONS}: no page {page}" for page in sorted(linked.keys() - pages)]


def arguments(text, begin):
    """The top-level arguments of a call whose bracket opens in front of `begin`."""
    parts, depth, start = [], 0, begin
    at = begin
    while at < len(text):
        token = SLASH_TOKENS.match(text, at)
        if token:
            at = token.end()
            continue
        char = text[at]
        if char in "([{":
            depth += 1
        elif char in ")]}" and depth == 0:
            return parts + [text[start:at]]
        elif char in ")]}":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return []  # no end: not a call


def citations(path, text):
    """(line number, name, in a RECO_DCHECK) of one file's text."""
    tokens = SLASH_TOKENS if path.endswith(SLASHES) else HASH_TOKENS
    hidden = []  # comments and literals: no call begins in them
    for token in tokens.finditer(text):
        hidden.append(token.span())
        if token.group("comment"):
            for cited in CITED.finditer(token.group().replace('"', " ")):
                yield text.count("\n", 0, token.start() + cited.start()) + 1, cited[1], False
    if not path.endswith(SLASHES):
        return
    for call in DCHECK.finditer(text):
        line_start = text.rfind("\n", 0, call.start()) + 1
        if text[line_start:call.start()].strip() == "#define":
            continue
        if any(begin <= call.start() < end for begin, end in hidden):
            continue
        given = arguments(text, call.end())
        name = given[-1].strip().strip('"') if len(given) > 1 else "nothing"
        yield text.count("\n", 0, call.start()) + 1, name, True


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    known, bad = stated(root)
    in_src = set()
    for folder in FOLDERS:
        for path in files(root, folder):
            for line, name, checks in citations(path, read(root, path)):
                if checks and not re.fullmatch(r"I\d+", name):
                    bad.append(f"{path}:{line}: RECO_DCHECK names {name}, not an invariant")
                elif name not in known:
                    bad.append(f"{path}:{line}: no document states {name}")
                elif folder == "src":
                    in_src.add(name)
    invariants = sorted((n for n in known if n[0] == "I"), key=lambda n: int(n[1:]))
    if not invariants:
        bad.append(f"{INVARIANTS}: no invariants found")
    bad += [f"{INVARIANTS}: nothing in src cites {n}" for n in invariants if n not in in_src]
    print("\n".join(bad) if bad else f"{len(in_src)} of {len(known)} cited in src, none unknown")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
