"""A program that stores scans, and prints what is safe, until somebody kills it: see test_storage_kills.py."""

import sys
import time

from concert.quantities import q
from concert.storage import Catalogue, Column, Header, StorageError

COLUMNS = (
    Column("stage", "positioner", "stage", "position"),
    Column("diode", "detector"),
    Column("remark", "detector"),
)


def point(number):
    return number * q.mm, number / 8 * q.V, f"point {number}"


def main(directory: str, points: int, pause: float) -> None:
    catalogue = Catalogue(directory)
    print("ready", flush=True)
    while True:
        try:
            record = catalogue.reopen(catalogue.last.number)
        except (LookupError, ValueError):  # there is none, or it is done
            record = catalogue.begin(Header("scan", expected=points, columns=COLUMNS))
        print("begun", record.number, record.durable, flush=True)
        record.on_durable = lambda count, number=record.number: print("durable", number, count, flush=True)
        for number in range(record.durable, points):
            # Some wait for each point, others let them gather: only what was reported counts.
            record.append(point(number), wait=record.number % 3 != 0)
            if record.number % 3 != 0:
                print("point", record.number, number, flush=True)
            time.sleep(pause)
        print("closing", record.number, flush=True)
        record.finish("done")
        print("done", record.number, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
    except StorageError as error:
        print("trouble", error, flush=True)
