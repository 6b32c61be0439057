"""Sets our training beside the implicit library's: the same pairs, parameters and threads, in turn.

Called by scripts/benchmark-training.sh; README.md says what the columns mean.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

import numpy as np

import sets

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DIMS = (64, 128)
THREADS = 2
CUT_OFF = 20
TRIALS = 8
QUALITY_SEEDS = (1, 2, 3)
CHUNK = 1 << 18


class Contender:
    def __init__(self, name, command, extra):
        self.name = name
        self.command = command
        self.extra = extra  # parameters that only this one has

    def train(self, pairs, vectors, setting):
        """Runs one training in a process of its own; (seconds of each iteration, peak bytes)."""
        words = [f"{name}={value}" for name, value in setting.items()]
        run = subprocess.run([*self.command, str(pairs), *([str(vectors)] if vectors else []),
                              *words, f"threads={THREADS}"],
                             capture_output=True, text=True, check=False)
        if run.returncode != 0:
            sys.exit(f"{self.name} failed: {run.stderr[-500:]}")
        lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
        return [line["seconds"] for line in lines[:-1]], lines[-1]["peak_bytes"]


def read_vectors(path, shape, dim):
    flat = np.fromfile(path, np.float32).reshape(sum(shape), dim)
    return flat[:shape[0]], flat[shape[0]:]


def objective(matrix, users, items, setting):
    """sum_pairs a (1 - s)^2 + w0 sum_all s^2 + reg (|X|^2 + |Y|^2), summed in float64."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    known = 0.0
    for at in range(0, matrix.nnz, CHUNK):
        part = slice(at, at + CHUNK)
        scores = np.einsum("ij,ij->i", users[row[part]].astype(np.float64),
                           items[matrix.indices[part]].astype(np.float64))
        known += np.square(1 - scores).sum()
    grams = []
    for table in (users, items):
        gram = np.zeros((table.shape[1],) * 2)
        for at in range(0, len(table), CHUNK):
            part = table[at:at + CHUNK].astype(np.float64)
            gram += part.T @ part
        grams.append(gram)
    return (setting["alpha"] * known + setting["w0"] * (grams[0] * grams[1]).sum()
            + setting["reg"] * (np.trace(grams[0]) + np.trace(grams[1])))


def ranking(scores_of, train, held):
    """(recall, ndcg) at CUT_OFF over the whole catalogue, the users' training items removed."""
    users, items = held
    hits = 0
    gain = 0.0
    for at in range(0, len(users), 2048):
        some = users[at:at + 2048]
        scores = np.array(scores_of(some), dtype=np.float64)
        rows = train[some]
        scores[np.repeat(np.arange(len(some)), np.diff(rows.indptr)), rows.indices] = -np.inf
        own = scores[np.arange(len(some)), items[at:at + 2048]]
        # Ties count half: an order among equals would be an accident of the program.
        rank = (scores > own[:, None]).sum(axis=1) + ((scores == own[:, None]).sum(axis=1) - 1) / 2
        inside = rank < CUT_OFF
        hits += inside.sum()
        gain += (1 / np.log2(rank[inside] + 2)).sum()
    return hits / len(users), gain / len(users)


def factor_scores(path, shape, dim):
    users, items = read_vectors(path, shape, dim)
    return lambda some: users[some] @ items.T


def cosine_scores(train):
    norms = np.sqrt(np.maximum(np.asarray(train.sum(axis=0)).ravel(), 1))
    alike = (train.T @ train).toarray() / norms[:, None] / norms
    return lambda some: train[some] @ alike


def popularity_scores(train):
    counts = np.asarray(train.sum(axis=0)).ravel()
    return lambda some: np.tile(counts, (len(some), 1))


def print_table(head, rows):
    table = [head, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    for row in table:
        print("  " + "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))))
    print(flush=True)


def compare_speed(name, matrix, pairs, contenders, cache, options):
    rounds = options.rounds or (3 if name == "power-law" else 5)
    iterations = options.iterations or (6 if name == "power-law" else 12)
    rows = []
    for dim in options.dims:
        setting = {"dim": dim, "iterations": iterations, "alpha": 1, "reg": 0.1, "regn": 0,
                   "w0": 1, "start": 0.01, "seed": 1}
        each, whole, peak, reached = {}, {}, {}, {}
        for number in range(rounds):
            for contender in contenders:
                vectors = cache / "vectors.bin" if number == 0 else None
                seconds, peak_bytes = contender.train(pairs, vectors, setting)
                each.setdefault(contender.name, []).append(statistics.median(seconds))
                whole.setdefault(contender.name, []).append(sum(seconds))
                peak[contender.name] = peak_bytes
                if vectors:
                    reached[contender.name] = objective(
                        matrix, *read_vectors(vectors, matrix.shape, dim), setting)
        ours, peer = (contender.name for contender in contenders)
        middle = {who: statistics.median(each[who]) for who in (ours, peer)}
        total = {who: statistics.median(whole[who]) for who in (ours, peer)}
        rows.append([f"d={dim}", f"{middle[ours]:.4f}", f"{middle[peer]:.4f}",
                     f"{middle[peer] / middle[ours]:.2f}", f"{total[ours]:.3f}",
                     f"{total[peer]:.3f}", f"{total[peer] / total[ours]:.2f}",
                     f"{reached[ours]:.6g}", f"{reached[peer]:.6g}",
                     f"{peak[ours] / 1e6:.0f}", f"{peak[peer] / 1e6:.0f}"])
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{name}: {matrix.shape[0]} users, {matrix.shape[1]} items, {matrix.nnz} pairs, "
          f"{THREADS} threads, {iterations} iterations, median of {rounds}, load {load}")
    print_table(["", "s/iter reco", "implicit", "ratio", "total s reco", "implicit", "ratio",
                 "objective reco", "implicit", "MB reco", "implicit"], rows)


def draw_trials():
    """The same parameters for all: implicit has no use for regn."""
    random = np.random.default_rng(7)
    trials = []
    for _ in range(TRIALS):
        w0, reg, regn = 10 ** random.uniform((-2, -2, -2.5), (0.6, 0.5, -1))
        trials.append({"alpha": 1, "w0": w0, "reg": reg, "regn": regn,
                       "iterations": int(random.choice([4, 6, 8, 12, 16]))})
    return trials


def quality_of(contender, train, held, setting, cache):
    pairs, vectors = cache / "quality.csr", cache / "vectors.bin"
    sets.write_matrix(train, pairs)
    contender.train(pairs, vectors, setting)
    return ranking(factor_scores(vectors, train.shape, setting["dim"]), train, held)


def compare_quality(name, data, contenders, cache, options):
    users, items, times = data
    shape = (users.max() + 1, items.max() + 1)
    splits = {}
    for seed in QUALITY_SEEDS:
        stay, held = sets.leave_last(users, items, times, seed)
        splits[seed] = (stay, sets.to_matrix(stay[0], stay[1], shape), held)
    # Parameters are chosen on a second split, inside the training pairs of the first seed.
    stay, held = sets.leave_last(*splits[QUALITY_SEEDS[0]][0], seed=100)
    tuning = sets.to_matrix(stay[0], stay[1], shape)
    rows = []

    def add(what, measure):
        figures = np.array([measure(seed) for seed in QUALITY_SEEDS])
        rows.append([what, *(f"{value:.4f}" for value in figures.mean(axis=0))])

    for dim in options.dims:
        for contender in contenders:
            best = max(({**trial, "dim": dim} for trial in draw_trials()),
                       key=lambda setting: quality_of(contender, tuning, held,
                                                      {**setting, "seed": 1}, cache)[0])
            add(f"{contender.name} d={dim} (w0 {best['w0']:.3g}, reg {best['reg']:.3g}, "
                + (f"regn {best['regn']:.3g}, " if contender.extra else "")
                + f"{best['iterations']} iterations)",
                lambda seed, c=contender, s=best: quality_of(
                    c, splits[seed][1], splits[seed][2], {**s, "seed": seed}, cache))
    add("item-item cosine",
        lambda seed: ranking(cosine_scores(splits[seed][1]), *splits[seed][1:]))
    add("popularity",
        lambda seed: ranking(popularity_scores(splits[seed][1]), *splits[seed][1:]))
    print(f"{name}: leave-last, ties shuffled, full catalogue, mean of {len(QUALITY_SEEDS)} seeds, "
          f"best of {TRIALS} trials each")
    print_table(["", f"recall@{CUT_OFF}", f"ndcg@{CUT_OFF}"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", choices=[*sets.NAMES, []])
    parser.add_argument("--program", required=True, help="bench_training")
    parser.add_argument("--cache", required=True, type=pathlib.Path)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--dims", type=int, nargs="+", default=DIMS)
    parser.add_argument("--only", choices=["speed", "quality"])
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    contenders = [Contender("reco", [options.program], True),
                  Contender("implicit", [sys.executable, str(HERE / "implicit_training.py")],
                            False)]
    for name in options.sets or sets.NAMES:
        data = sets.load(name, ROOT, options.cache)
        if data is None:
            continue
        users, items, times = data
        shape = (users.max() + 1, items.max() + 1)
        if options.only != "quality":
            if times is not None:
                users, items, _ = sets.leave_last(users, items, times, seed=1)[0]
            matrix = sets.to_matrix(users, items, shape)
            pairs = options.cache / f"{name}.csr"
            sets.write_matrix(matrix, pairs)
            compare_speed(name, matrix, pairs, contenders, options.cache, options)
        if times is not None and options.only != "speed":
            compare_quality(name, data, contenders, options.cache, options)


if __name__ == "__main__":
    main()
