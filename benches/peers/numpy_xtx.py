"""Times numpy's X'X on a matrix of the shape that benches/random_intercept.rs reads.

Usage: python numpy_xtx.py [rows]      (default PREM_BENCH_ROWS or 10,000,000)
Two layouts, because a frame's columns are contiguous and numpy's default rows are. `all` uses every thread that numpy's
BLAS takes; start with OPENBLAS_NUM_THREADS=1 for one.
"""

import os
import sys
import time

import numpy as np

ADJUSTERS = 12


def best_of(times, function):
    """Seconds of the fastest of `times` runs."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else int(os.environ.get("PREM_BENCH_ROWS", 10_000_000))
    generator = np.random.default_rng(1)
    by_row = np.empty((rows, ADJUSTERS + 1))
    by_row[:, 0] = 20.0 + 70.0 * generator.random(rows)
    for k in range(1, ADJUSTERS):
        by_row[:, k] = generator.random(rows) < 0.3
    by_row[:, ADJUSTERS] = 70.0 + 20.0 * generator.standard_normal(rows)
    print(f"numpy {np.__version__}, {rows} rows, threads: {os.environ.get('OPENBLAS_NUM_THREADS', 'all')}")
    only_x = np.ascontiguousarray(by_row[:, :ADJUSTERS])
    print(f"X'X, 12 columns, rows contiguous:           {best_of(5, lambda: only_x.T @ only_x):.3f} s")
    print(f"[X y]'[X y], 13 columns, rows contiguous:   {best_of(5, lambda: by_row.T @ by_row):.3f} s")
    del only_x
    by_column = np.asfortranarray(by_row)
    del by_row
    only_x = by_column[:, :ADJUSTERS]
    print(f"X'X, 12 columns, columns contiguous:        {best_of(5, lambda: only_x.T @ only_x):.3f} s")
    print(f"[X y]'[X y], 13 columns, columns contiguous: {best_of(5, lambda: by_column.T @ by_column):.3f} s")


if __name__ == "__main__":
    main()
