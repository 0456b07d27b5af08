"""Copies a CSV file to Parquet as a peer does it unasked; prints its name, seconds, peak memory in MB and rows.

Usage: python csv_to_parquet.py duckdb|pandas answers.csv out.parquet
"""

import resource
import sys
import time


def main():
    name, source, target = sys.argv[1:]
    try:
        if name == "duckdb":
            import duckdb
        else:
            import pandas
            import pyarrow.parquet
    except ImportError as missing:
        print(f"({missing})")
        return
    start = time.perf_counter()
    if name == "duckdb":
        copied = duckdb.execute(f"copy (select * from read_csv('{source}', delim = ';')) to '{target}' (format parquet, compression zstd)")
        rows = copied.fetchone()[0]
    else:
        frame = pandas.read_csv(source, sep=";")
        frame.to_parquet(target, compression="zstd", index=False)
        rows = len(frame)
    seconds = time.perf_counter() - start
    print(name, f"{seconds:.2f}", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000, rows)


if __name__ == "__main__":
    main()
