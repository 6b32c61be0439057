#!/usr/bin/env python3
"""Writes the folder that a release leaves to the tests of all later ones.

usage: RECO_BIN=folder/of/the/release golden_folder.py tests/golden/folders/VERSION

The folder gets data/, as `kill -9` left it (a checkpoint, and a log that is ahead of it), and
answers.json, what that binary answers after a restart: [[command, reply], ...].
test_golden_folders.py asks the same of the present binary. Run once for each release, with the
binaries of that release; a folder that is there is never written again.
"""
import json
import os
import random
import shutil
import sys
import tempfile

import reco_e2e

DAY_MS = 86_400_000
EPOCH_MS = 1_700_000_000_000
# What RocksDB writes for people, its lock, and the options it was last opened with: no data.
NOT_DATA = ("LOCK", "LOG", "OPTIONS-")

PLAYS = "golden:plays"      # implicit, typed, with a half-life, records and rules; trained
RATINGS = "golden:ratings"  # explicit; trained

OTHER_DATABASE = 3  # holds the one key "elsewhere"

QUESTIONS = [
    ["DBSIZE"], ["GET", "plain"], ["GET", "binary"], ["GET", "empty"], ["GET", "lasting"],
    ["GET", "overwritten"], ["GET", "gone"], ["GET", "after-checkpoint"],
    ["PEXPIRETIME", "lasting"], ["TYPE", "plain"], ["TYPE", PLAYS],
    ["RECO.CONFIG", PLAYS, "GET", "*"], ["RECO.CONFIG", RATINGS, "GET", "*"],
    ["RECO.RULE", PLAYS, "LIST"],
    ["RECO.ITEM", "COUNT", PLAYS], ["RECO.USER", "COUNT", PLAYS],
    ["RECO.ITEM", "GET", PLAYS, "i3"], ["RECO.ITEM", "GET", PLAYS, "i4"],
    ["RECO.ITEM", "GET", PLAYS, "i39"], ["RECO.USER", "GET", PLAYS, "u1"],
    ["RECO.PREF", PLAYS, "u0", "i0", "i1", "i2", "i3", "i4"],
    ["RECO.HISTORY", PLAYS, "u0", "COUNT", 50, "WITHSCORES"],
    ["RECO.HISTORY", PLAYS, "fresh", "WITHSCORES"],
    ["RECO.HISTORY", PLAYS, "u1", "TYPE", "buy", "WITHSCORES"],
    ["RECO.AUDIENCE", PLAYS, "i3", "COUNT", 50, "WITHSCORES"],
    ["RECO.SCORE", PLAYS, "u0", "i0", "i1", "i5", "unknown"],
    ["RECO.SCORE", PLAYS, "fresh", "i0", "i1", "i5"],
    ["RECO.EXPLAIN", PLAYS, "u0", "i5"],
    ["RECO.WHY", PLAYS, "u1", "i7"],
    ["RECO.TOPK", PLAYS, "u1", "COUNT", 30, "MINSCORE", "0.05", "WITHSCORES"],
    ["RECO.TOPK", PLAYS, "u0", "COUNT", 20, "WITHSCORES"],
    ["RECO.TOPK", PLAYS, "fresh", "COUNT", 20, "WITHSCORES", "WITHSEEN"],
    ["RECO.TOPK", PLAYS, "u2", "WITHSCORES", "FILTER", ".year >= 2000 && .genre == 'noir'"],
    ["RECO.SESSION", PLAYS, 2, "i1", "i2", "WITHSCORES"],
    ["RECO.MTOPK", PLAYS, 2, "u1", "u2", "WITHSCORES"],
    ["RECO.SIMILAR", PLAYS, 1, "i1", "WITHSCORES"],
    ["RECO.SIMILAR", PLAYS, 1, "i1", "BY", "COOCCURRENCE", "WITHSCORES"],
    ["RECO.SIMUSERS", PLAYS, "u1", "WITHSCORES"],
    ["RECO.SURPRISING", PLAYS, "u1", "WITHSCORES"],
    ["RECO.POPULAR", PLAYS, "WITHSCORES", "COUNT", 15],
    ["RECO.POPULAR", PLAYS, "BY", "WEIGHT", "WITHSCORES"],
    ["RECO.LATEST", PLAYS, "WITHSCORES"],
    ["RECO.VECTOR", "GET", PLAYS, "USER", "u0"], ["RECO.VECTOR", "GET", PLAYS, "ITEM", "i0"],
    ["RECO.ADD", PLAYS, "u0", "i0", 1, "TYPE", "play", "ID", "token-1"],
    ["RECO.PREF", RATINGS, "r0", "m0", "m1", "m2", "m3"],
    ["RECO.SCORE", RATINGS, "r0", "m0", "m1", "m2", "m9"],
    ["RECO.TOPK", RATINGS, "r1", "WITHSCORES", "COUNT", 15],
    ["RECO.EXPLAIN", RATINGS, "r2", "m4"],
    ["RECO.VECTOR", "GET", RATINGS, "USER", "r0"],
    ["in", OTHER_DATABASE, "DBSIZE"], ["in", OTHER_DATABASE, "GET", "elsewhere"],
]


def plain(value):
    """A reply as JSON keeps it: bytes as latin-1 text, errors and maps as lists with a name."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, reco_e2e.RespError):
        return ["error", value.message]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(v) for v in value)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def answers(server, questions):
    """[[question, reply], ...] of a server; "in", n stands before a question of database n."""
    clients = {None: server.client()}
    replies = []
    for question in questions:
        database, command = (question[1], question[2:]) if question[0] == "in" else (None, question)
        if database not in clients:
            clients[database] = server.client(db=database)
        replies.append([question, plain(clients[database].pipeline([command])[0])])
    return replies


def write_strings(client):
    client.cmd("SET", "plain", "value")
    client.cmd("SET", "binary", bytes(range(256)))
    client.cmd("SET", "empty", "")
    client.cmd("SET", "lasting", "until 2100", "PXAT", 4_102_444_800_000)
    client.cmd("SET", "overwritten", "old")
    client.cmd("SET", "overwritten", "new")
    client.cmd("SET", "gone", "v")
    client.cmd("DEL", "gone")


def write_plays(client, chance):
    client.cmd("RECO.CREATE", PLAYS, "DIM", 8, "ALPHA", 12, "REG", 0.05, "HALFLIFE", 90 * 86_400,
               "WEIGHTING", "LOG", "ITERATIONS", 6, "SEED", 7, "TYPE", "play", 1, "TYPE", "buy", 4)
    for item in range(40):
        record = {"genre": ("noir", "comic", "drama")[item % 3], "year": 1980 + item,
                  "price": item / 4}
        client.cmd("RECO.ITEM", "SET", PLAYS, f"i{item}", "ATTRS", json.dumps(record))
    client.cmd("RECO.ITEM", "SET", PLAYS, "i4", "HIDDEN", 1)
    client.cmd("RECO.USER", "SET", PLAYS, "u1", "ATTRS", '{"country": "is"}')
    for user in range(24):
        for _ in range(9):
            item = (user % 3) + 3 * chance.randrange(13)
            client.cmd("RECO.ADD", PLAYS, f"u{user}", f"i{item}",
                       chance.choice((1, 2, 0.5)), "TYPE", chance.choice(("play", "buy")),
                       "TS", EPOCH_MS + chance.randrange(100) * DAY_MS)
    client.cmd("RECO.ADD", PLAYS, "u0", "i0", 1, "TYPE", "play", "TS", EPOCH_MS, "ID", "token-1")
    client.cmd("RECO.RULE", PLAYS, "SET", "noir", "FILTER", ".genre == 'noir'", "BOOST", 1.5)
    client.cmd("RECO.RULE", PLAYS, "SET", "old", "FILTER", ".year < 1983", "BURY")
    client.cmd("RECO.RULE", PLAYS, "SET", "first", "FILTER", ".price == 9", "PIN", 2)
    client.cmd("RECO.RULE", PLAYS, "SET", "over", "FILTER", "1", "BOOST", 0, "UNTIL", EPOCH_MS)
    client.cmd("RECO.RETRAIN", PLAYS, "SYNC")


def write_ratings(client, chance):
    client.cmd("RECO.CREATE", RATINGS, "DIM", 4, "FEEDBACK", "EXPLICIT", "ITERATIONS", 8,
               "SEED", 11)
    for user in range(16):
        for item in sorted(chance.sample(range(20), 8)):
            client.cmd("RECO.SET", RATINGS, f"r{user}", f"m{item}",
                       1 + (user + item + chance.randrange(2)) % 5, "TS", EPOCH_MS + item)
    client.cmd("RECO.RETRAIN", RATINGS, "SYNC")


def write_after_checkpoint(client):
    """Events that only the log holds when the process is killed."""
    client.cmd("SET", "after-checkpoint", "kept")
    late_ms = EPOCH_MS + 120 * DAY_MS
    for number, item in enumerate(("i1", "i4", "i7", "i10", "new")):
        client.cmd("RECO.ADD", PLAYS, "fresh", item, 1 + number, "TYPE", "play",
                   "TS", late_ms + number)
    client.cmd("RECO.REM", PLAYS, "fresh", "i10")
    client.cmd("RECO.SET", PLAYS, "u0", "i2", 3, "TYPE", "buy", "TS", late_ms)
    client.cmd("RECO.ITEM", "SET", PLAYS, "i3", "ATTRS", '{"genre": "noir", "year": 2024}')
    client.cmd("RECO.ITEM", "DEL", PLAYS, "i39")
    client.cmd("RECO.SET", RATINGS, "r0", "m0", 5, "TS", late_ms)


def write_folder(folder):
    data = os.path.join(folder, "data")
    work = os.path.join(tempfile.mkdtemp(prefix="reco-golden-"), "data")
    chance = random.Random(20)
    with reco_e2e.Server(directory=work, appendfsync="always") as server:
        client = server.client()
        write_strings(client)
        server.client(db=OTHER_DATABASE).cmd("SET", "elsewhere", "3")
        write_plays(client, chance)
        write_ratings(client, chance)
        server.stop()  # a checkpoint
        server.start()
        write_after_checkpoint(server.client())
        server.kill9()
    shutil.copytree(work, data, ignore=lambda _, names: [
        name for name in names if name.startswith(NOT_DATA)])
    with reco_e2e.Server(directory=work) as server:
        replies = answers(server, QUESTIONS)
    with open(os.path.join(folder, "answers.json"), "w", encoding="ascii") as file:
        file.write("[\n" + ",\n".join(json.dumps(reply) for reply in replies) + "\n]\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    os.makedirs(sys.argv[1])  # refuses a folder that is there
    write_folder(sys.argv[1])
