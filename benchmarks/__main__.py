"""``make bench``: print each figure beside its limit, and which targets are missed."""

from __future__ import annotations

from benchmarks import core, scans, shell, storage, tango
from benchmarks._measure import Result, compare
from concert.tables import print_table

DEVICE_BYTES = 1536


def main() -> None:
    results = [compare(comparison) for comparison in core.parameters() + core.calls()]
    results += [compare(comparison, turns=5) for comparison in core.imports()]
    results += [compare(comparison, turns=7) for comparison in shell.prompts()]
    results += [compare(comparison) for comparison in tango.reads()]
    results += scans.results()
    stored, long = storage.results()
    results += stored
    rows = [_row(result) for result in results]
    size = core.size_of_device()
    missed = [result.comparison.name for result in results if result.missed]
    verdict = "" if size <= DEVICE_BYTES else "missed"
    rows.append(("device with five parameters", f"{size:.0f} B", "", "", "", f"{DEVICE_BYTES} B", verdict))
    if verdict:
        missed.append("device with five parameters")
    for row in _long_scan(long):
        rows.append(row)
        if row[-1]:
            missed.append(row[0])
    print_table(("figure", "measured", "beside", "limit", "ratio", "target", ""), rows)
    print()
    print(f"Targets missed: {', '.join(missed)}" if missed else "All targets are met.")


def _row(result: Result) -> tuple[str, ...]:
    name, _, limit_name, _, target = result.comparison
    verdict = "missed" if result.missed else ""
    figures = _time(result.figure), limit_name, _time(result.limit)
    return (name, *figures, f"{result.ratio:.2f}", f"{target:.2f}", verdict)


def _long_scan(long: storage.LongScan) -> list[tuple[str, ...]]:
    memory = long.memory_late / long.memory_early
    return [
        (
            "late point of a million", _time(long.late), "early point", _time(long.early), f"{long.ratio:.2f}",
            "1.20", "missed" if long.ratio > 1.2 else "",
        ),
        (
            "memory after a million points", f"{long.memory_late / 1e6:.0f} MB", "after ten thousand",
            f"{long.memory_early / 1e6:.0f} MB", f"{memory:.2f}", "1.10", "missed" if memory > 1.1 else "",
        ),
    ]  # fmt: skip


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.2f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"


main()
