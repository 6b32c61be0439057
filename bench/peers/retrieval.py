"""Sets exact retrieval beside faiss, Eigen and hnswlib: the same vectors and queries, in turn.

Called by scripts/benchmark-retrieval.sh; README.md says what the columns mean.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

import faiss
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ANSWERS = 20
QUERIES = 256
SHARES = (0.5, 0.1, 0.02, 0.01, 0.001)
SETS = ("gaussian", "trained-like", "retail")
SIZES = (10_000, 41_000, 100_000, 1_000_000)
PARTS = ("search", "filters", "graph")


def generate(kind, count, dim):
    """Rows of items and of queries."""
    random = np.random.default_rng(1)
    rows = random.standard_normal((count + QUERIES, dim), dtype=np.float32)
    if kind == "trained-like":  # variances fall as 1/i, norms are log-normal
        rows /= np.sqrt(1 + np.arange(dim, dtype=np.float32))
        spread = np.where(np.arange(count + QUERIES) < count, 0.7, 0.3).astype(np.float32)
        rows *= np.exp(spread * random.standard_normal(count + QUERIES, dtype=np.float32))[:, None]
    return rows[:count], rows[count:]


def train(cache, program, dim):
    """Vectors of our own training on Online Retail; items, some users."""
    import sets
    users, items, _ = sets.load("retail", ROOT, cache)
    matrix = sets.to_matrix(users, items, (users.max() + 1, items.max() + 1))
    pairs, vectors = cache / "retail.pairs", cache / f"retail-{dim}.all"
    sets.write_matrix(matrix, pairs)
    subprocess.run([program, pairs, vectors, f"dim={dim}", "w0=1", "reg=0.1", "regn=0.06"],
                   check=True, stdout=subprocess.DEVNULL)
    rows = np.fromfile(vectors, np.float32).reshape(sum(matrix.shape), dim)
    chosen = np.random.default_rng(1).choice(matrix.shape[0], QUERIES, replace=False)
    return rows[matrix.shape[0]:], rows[chosen]


def files_of(kind, count, dim, options):
    stem = options.cache / f"{kind}-{count}-{dim}"
    paths = stem.with_suffix(".items"), stem.with_suffix(".queries")
    if not all(path.exists() for path in paths):
        rows = (train(options.cache, options.program.parent / "bench_training", dim)
                if kind == "retail" else generate(kind, count, dim))
        for path, part in zip(paths, rows):
            part.astype(np.float32).tofile(path)
    return paths


class Ours:
    def __init__(self, options, paths, dim):
        graph = paths[0].with_suffix(".graph")
        self.process = subprocess.Popen([options.program, *paths, str(dim), graph], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, name):
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the program ended at: {name}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Flat:
    """faiss IndexFlatIP, one thread."""

    def __init__(self, paths, dim):
        items, self.queries = (np.fromfile(path, np.float32).reshape(-1, dim) for path in paths)
        self.index = faiss.IndexFlatIP(dim)
        self.index.add(items)
        faiss.omp_set_num_threads(1)
        self.few = min(QUERIES, max(20, 20_000_000 // len(items)))

    def run(self, name):
        together = 16 if name == "flat-batch" else 1
        times = []
        for first in range(0, self.few // together * together, together):
            start = time.perf_counter()
            self.index.search(self.queries[first:first + together], ANSWERS)
            times.append((time.perf_counter() - start) / together * 1e6)
        return {"us": statistics.median(times)}


def measure(kind, count, dim, options):
    """Median of the rounds by contender, and what each said of itself."""
    paths = files_of(kind, count, dim, options)
    items = paths[0].stat().st_size // (4 * dim)
    names = []
    if "search" in options.parts:
        names += ["exact", "flat", "eigen", "batch", "flat-batch", "stepped", "update"]
    if "filters" in options.parts:
        names += ["exact"] if "exact" not in names else []
        names += [f"{way} {share}" for share in SHARES for way in ("accept", "bitmap", "among")]
    if "graph" in options.parts and items <= options.graph_max:
        names += ["exact", "update"] if "exact" not in names else []
        names += ["graph-recall 0.95", "graph-recall 0.975", "graph-update"]
    ours, flat = Ours(options, paths, dim), Flat(paths, dim)
    times, last = {name: [] for name in names}, {}
    for _ in range(options.rounds):
        for name in names:
            last[name] = (flat if name.startswith("flat") else ours).run(name)
            times[name].append(last[name]["us"])
    ours.close()
    return items, {name: statistics.median(list_) for name, list_ in times.items()}, last


def show(kind, dim, items, us, last):
    print(f"\n{kind}, {items} x {dim}, k = {ANSWERS}")
    for name, value in us.items():
        if name == "exact":
            note = "one query"
        elif name in ("update", "graph-update"):
            note = f"{us['graph-update'] / us['update']:.0f} of ours" if name != "update" and \
                "update" in us else "a changed vector"
        else:
            note = f"{value / us['exact']:.2f} of exact"
        if "recall" in last[name]:
            note += f", recall {last[name]['recall']:.3f} at ef {last[name]['ef']}"
        print(f"  {name:<20}{value:>12.2f} us   {note}")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=SETS, help="of " + ", ".join(SETS))
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path("/tmp/reco-retrieval"))
    parser.add_argument("--dims", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--items", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--graph-max", type=int, default=41_000,
                        help="the most items for which hnswlib's graph is built (1M: an hour)")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    for kind in options.sets:
        for dim in options.dims:
            for count in options.items if kind != "retail" else [0]:
                if dim != 64 and count == 41_000:
                    continue
                items, us, last = measure(kind, count, dim, options)
                show(kind, dim, items, us, last)


if __name__ == "__main__":
    main()
