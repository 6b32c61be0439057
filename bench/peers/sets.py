"""The sets of pairs: reading, holding out, and the file that all programs train on.

A set is (users, items, times) of distinct pairs of weight 1, by user, then item; a pair's time is
that of its first event.
"""

import csv
import gzip
import pathlib

import numpy as np
import scipy.sparse

import power_law

NAMES = ("retail", "ml-100k", "power-law")


def ordinals(values):
    """Numbers from 0 in place of ids."""
    return np.unique(np.asarray(values), return_inverse=True)[1].astype(np.int64)


def first_events(users, items, times):
    """Distinct pairs with the least time of each."""
    order = np.lexsort((times, items, users))
    users, items, times = users[order], items[order], times[order]
    first = np.ones(len(users), dtype=bool)
    first[1:] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    return users[first], items[first], times[first]


def read_retail(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["type"] == "purchase"]
    return first_events(ordinals([row["user"] for row in rows]),
                        ordinals([row["item"] for row in rows]),
                        np.array([int(row["timestamp_ms"]) for row in rows]))


def read_movielens(path):
    table = np.loadtxt(path, dtype=np.int64)
    return first_events(ordinals(table[:, 0]), ordinals(table[:, 1]), table[:, 3])


def load(name, root, cache):
    """The set, or None when its file is absent."""
    if name == "power-law":
        path = cache / "power-law.npz"
        if not path.exists():
            users, items = power_law.generate(seed=1)
            np.savez(path, users=users, items=items)
        with np.load(path) as file:
            return file["users"], file["items"], None
    path, read = {"retail": (root / "examples/online-retail/interactions.csv.gz", read_retail),
                  "ml-100k": (root.parent / "shared/data/ml-100k/u.data", read_movielens)}[name]
    if not path.exists():
        print(f"{path} is absent, {name} is passed over")
        return None
    return read(path)


def leave_last(users, items, times, seed):
    """Splits off the newest pair of every user of more than one; ties in time are shuffled.

    Returns the pairs that stay (users, items, times) and those held out (users, items).
    """
    tie = np.random.default_rng(seed).random(len(users))
    order = np.lexsort((tie, times, users))
    users, items, times = users[order], items[order], times[order]
    last = np.append(users[1:] != users[:-1], True)
    held = last & (np.bincount(users)[users] > 1)
    stay = np.lexsort((items[~held], users[~held]))
    return (tuple(part[~held][stay] for part in (users, items, times)),
            (users[held], items[held]))


def to_matrix(users, items, shape):
    """Users x items, all ones, columns ascending in a row."""
    offsets = np.zeros(shape[0] + 1, dtype=np.int64)
    np.cumsum(np.bincount(users, minlength=shape[0]), out=offsets[1:])
    return scipy.sparse.csr_matrix((np.ones(len(items), dtype=np.float32),
                                    items.astype(np.int32), offsets), shape=shape)


def write_matrix(matrix, path):
    """The file of bench/training.cc."""
    with open(path, "wb") as file:
        np.array([*matrix.shape, matrix.nnz], dtype=np.uint64).tofile(file)
        matrix.indptr.astype(np.uint64).tofile(file)
        matrix.indices.astype(np.uint32).tofile(file)
        matrix.data.astype(np.float32).tofile(file)


def read_matrix(path):
    with open(pathlib.Path(path), "rb") as file:
        rows, columns, pairs = (int(n) for n in np.fromfile(file, np.uint64, 3))
        offsets = np.fromfile(file, np.uint64, rows + 1).astype(np.int64)
        indices = np.fromfile(file, np.uint32, pairs).astype(np.int32)
        data = np.fromfile(file, np.float32, pairs)
    return scipy.sparse.csr_matrix((data, indices, offsets), shape=(rows, columns))
