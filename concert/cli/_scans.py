"""``concert scans``: looking at stored scans, without a session."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from concert.cli._data import CATALOGUE, catalogue_in, scan_in
from concert.cli._resume import ResumeCommand
from concert.helpers import Command
from concert.quantities import q, shown
from concert.session.management import SessionError
from concert.session.scans import SHOWN, table_of
from concert.storage import StoredScan, plot_scan
from concert.storage._beside import beside
from concert.tables import print_table

_STORED = re.compile(r"\.?(scans\.sqlite|scan_\d+(_.*)?\.h5)")  # names of what belongs to a catalogue


class ScansCommand(Command):
    """List stored scans, or show, plot, export or go on with one."""

    def __init__(self) -> None:
        super().__init__(
            "scans",
            {
                "what": {
                    "metavar": "ls|show|plot|export|resume",
                    "nargs": "?",
                    "choices": ["ls", "show", "plot", "export", "resume"],
                    "default": "ls",
                    "help": "a list (default); or of one scan what is known, a picture, a table as CSV, more points",
                },
                "number": {"metavar": "NUMBER", "nargs": "?", "type": int, "help": "which scan (default: the latest)"},
                "--data": {"metavar": "DIRECTORY", "help": "where the scans are (default: where the latest one is)"},
                "--output": {"metavar": "FILE", "help": "where the picture or the table goes"},
                "--command": {"metavar": "TEXT", "help": "list those with this kind, or this in what was typed"},
                "--device": {"metavar": "NAME", "help": "list those with this device"},
                "--since": {"metavar": "TIME", "help": "list those from then on: 2026-11-22, or with a time"},
                "--until": {"metavar": "TIME", "help": "list those until then"},
                "--status": {
                    "metavar": "STATUS",
                    "help": "list those that are done, stopped, interrupted ...",
                },
                "--yes": {"action": "store_true", "help": "do not ask before going on"},
                "--all": {"action": "store_true", "help": f"list all of them, not only the latest {SHOWN}"},
            },
        )

    def run(  # type: ignore[override]
        self,
        what: str,
        number: int | None,
        data: str | None,
        output: str | None,
        all: bool,
        yes: bool,
        **conditions: Any,
    ) -> None:
        """List, show, plot, export or go on."""
        if what == "ls":
            if number is not None:
                raise SessionError(f"ls lists many scans; to see one: concert scans show {number}")
            _list(catalogue_in(data).search(**conditions), all)
            return
        if what == "resume":
            ResumeCommand().run(number, data=data, yes=yes)
            return
        scan = scan_in(data, number)
        action: dict[str, Callable[[StoredScan, str | None], None]] = {"show": _show, "plot": _plot, "export": _export}
        action[what](scan, output)


def _list(scans: list[StoredScan], everything: bool) -> None:
    latest = scans if everything else scans[-SHOWN:]
    print(table_of(latest) if latest else "no scans match")
    if len(latest) < len(scans):
        print(f"and {len(scans) - len(latest)} before; all with --all")


def _show(scan: StoredScan, _output: str | None) -> None:
    print(f"Scan {scan.number}  {scan.title}")
    took = "" if scan.ended is None else f", took {(scan.ended - scan.began).total_seconds():.1f} s"
    facts = {
        "status": f"{scan.status}: {scan.reason}" if scan.reason else scan.status,
        "command": scan.command,
        "began": f"{scan.began:%Y-%m-%d %H:%M:%S %z}{took}",
        "points": str(scan.points) if scan.expected is None else f"{scan.points} of {scan.expected}",
        "session": scan.session,
        "file": str(scan.path),
        "result": _result(scan),
        **{key: shown(value) if isinstance(value, q.Quantity) else str(value) for key, value in scan.metadata.items()},
    }
    width = max(map(len, facts))
    for name, fact in facts.items():
        if fact:
            print(f"  {name:<{width}}  {fact}")
    print()
    print_table(("column", "unit", "smallest", "greatest", "role", "from"), list(_columns(scan)))


def _result(scan: StoredScan) -> str:
    try:
        return scan.data.summary()
    except ValueError:  # nothing was read that has a peak
        return ""


def _columns(scan: StoredScan) -> Iterator[tuple[str, ...]]:
    for column in scan.columns:
        values = scan.data[column.name]
        source = f"{column.device}.{column.parameter}" if column.parameter else column.device
        yield (column.name, _unit(values), *_range(values), column.role, source)


def _range(values: Any) -> tuple[str, str]:
    numbers = values.magnitude if isinstance(values, q.Quantity) else values
    if not numbers.size or numbers.dtype.kind not in "biuf" or np.isnan(numbers.astype(float)).all():
        return "", ""
    return f"{np.nanmin(numbers):.6g}", f"{np.nanmax(numbers):.6g}"


def _unit(values: Any) -> str:
    return f"{values.units:~P}" if isinstance(values, q.Quantity) else ""


def _plot(scan: StoredScan, output: str | None) -> None:
    path = scan.path.with_suffix(".png") if output is None else _destination(output)
    if not scan.points:
        raise SessionError(f"scan {scan.number} has no points to plot")
    plot_scan(path, f"Scan {scan.number}  {scan.title}", scan.data).join()
    print(path)


def _export(scan: StoredScan, output: str | None) -> None:
    if output is None:
        _write_table(scan, sys.stdout)
        return
    path = _destination(output)
    scan.data[scan.columns[0].name]  # which reads all of them, before there is a file
    try:
        if path.is_file() or not path.exists():
            with beside(path.resolve()) as unfinished, unfinished.open("w", newline="") as file:
                _write_table(scan, file)
        else:  # a device, a pipe: nothing is to come in its place
            with path.open("w", newline="") as file:
                _write_table(scan, file)
    except OSError as error:
        raise SessionError(f"no table was written ({error.strerror}: {output!r}); name a file with --output") from error
    print(output)


def _destination(output: str) -> Path:
    """Return where something is to be written; raise :exc:`.SessionError` if scans are stored there."""
    path = Path(output)
    real = path.resolve()
    if (real.parent / CATALOGUE).exists() and _STORED.match(real.name):
        raise SessionError(f"{output} belongs to the scans in {real.parent}; --output takes the name of another file")
    return path


def _write_table(scan: StoredScan, file: TextIO) -> None:
    """Write the points as CSV, with a column for each element of an array."""
    heads: list[str] = []
    columns: list[Any] = []
    for name in scan.data.columns:
        values = scan.data[name]
        numbers = values.magnitude if isinstance(values, q.Quantity) else values
        unit = _unit(values)
        for index in np.ndindex(numbers.shape[1:]):
            element = name + "".join(f"[{i}]" for i in index)
            heads.append(f"{element} / {unit}" if unit else element)
            columns.append(numbers[(slice(None), *index)].tolist())
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(zip(*columns, strict=True))
