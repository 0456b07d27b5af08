"""Times numpy's X'X for benches/random_intercept.rs, on the matrix that the bench wrote.

Usage: python3 numpy_xtx.py FILE ROWS, then lines on standard input: how many of the columns to take. Each is answered with
the seconds of one X'X. FILE holds 64-bit floats, column after column. Threads: OPENBLAS_NUM_THREADS and its like.
Two layouts are timed, because a frame's columns are contiguous and numpy's default rows are; the faster one is answered.
"""

import sys
import time

import numpy as np


def seconds(matrix):
    start = time.perf_counter()
    matrix.T @ matrix
    return time.perf_counter() - start


def main():
    rows = int(sys.argv[2])
    by_column = np.fromfile(sys.argv[1], dtype=np.float64).reshape(-1, rows).T
    by_row = {}
    print(f"numpy {np.__version__}", flush=True)
    for line in sys.stdin:
        columns = int(line)
        if columns not in by_row:
            by_row[columns] = np.ascontiguousarray(by_column[:, :columns])
        print(min(seconds(by_row[columns]), seconds(by_column[:, :columns])), flush=True)


if __name__ == "__main__":
    main()
