"""Trains the implicit library on one file of pairs; arguments and output as bench/training.cc.

Its objective is sum c (p - s)^2 with c = 1 for unobserved pairs. For pairs of weight 1 that is ours
with w0 = 1 after a change of scale: with t = alpha / (1 + alpha), confidence c = 1 + alpha and
regulariser reg / t it has the same minimum, at vectors 1 / sqrt(t) as long. Ours with another w0
has the minimum of w0 = 1, alpha / w0 and reg / w0. The vectors are written at our scale.
"""

import json
import os
import sys

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as the library advises: it runs threads of its own

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

import sets


def peak_bytes():
    """The most memory that the process has had; unlike getrusage, without that of its parent."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def main():
    paths = [word for word in sys.argv[1:] if "=" not in word]
    values = dict(word.split("=") for word in sys.argv[1:] if "=" in word)
    setting = {name: float(value) for name, value in values.items()}
    matrix = sets.read_matrix(paths[0])
    unobserved = setting.get("w0", 1)
    alpha = setting.get("alpha", 1) / unobserved
    scale = alpha / (1 + alpha)
    matrix.data *= 1 + alpha
    model = AlternatingLeastSquares(
        factors=int(setting.get("dim", 64)),
        regularization=setting.get("reg", 0.1) / unobserved / scale,
        alpha=1.0,
        iterations=int(setting.get("iterations", 12)),
        num_threads=int(setting.get("threads", 2)),
        random_state=int(setting.get("seed", 1)),
        use_native=True,
        use_cg=True)
    seconds = []
    with threadpool_limits(1, "blas"):
        model.fit(matrix, show_progress=False,
                  callback=lambda iteration, took, loss=None: seconds.append(took))
    for iteration, took in enumerate(seconds):
        print(json.dumps({"iteration": iteration, "seconds": took}))
    print(json.dumps({"seconds_per_iteration": sum(seconds) / len(seconds),
                      "peak_bytes": peak_bytes()}))
    if len(paths) > 1:
        with open(paths[1], "wb") as file:
            for vectors in (model.user_factors, model.item_factors):
                (vectors * np.float32(np.sqrt(scale))).astype(np.float32).tofile(file)


if __name__ == "__main__":
    main()
