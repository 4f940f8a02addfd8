"""How a scan is laid out in an HDF5 file, as NeXus wants it: viewers find the plot, and every number has its unit."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np

import concert
from concert.quantities import q
from concert.storage._fields import Field
from concert.storage._header import Column
from concert.storage._layout import Layout
from concert.storage._reading import Block
from concert.storage._stored import ELAPSED, StoredScan
from concert.storage._values import UnknownQuantity, encodable, to_json, unit_text

CHUNK = 2**16  # bytes, about, of what grows together
FRAMES = "/entry/instrument/detector/data"  # where a file of frames has them
OVERHEAD = 2**14  # bytes, at most, of what HDF5 writes about a dataset
LETTERS = 256  # of a text while the file grows: those of any length cannot be written then

_CLASSES = {"positioner": ("NXpositioner", "value"), "detector": ("NXdetector", "data")}


def name_for(name: str, taken: Collection[str] = ()) -> str:
    """Return *name* as NeXus allows names, different from those that are *taken*."""
    text = re.sub(r"\W", "_", name, flags=re.ASCII)
    text = text if re.match(r"[A-Za-z_]", text) else f"_{text}"
    number, unique = 2, text
    while unique in taken:
        unique, number = f"{text}_{number}", number + 1
    return unique


def held(text: str) -> str:
    """Return *text* as HDF5 can hold it: NUL, which would end it, is ``\\x00``, and what is no UTF-8 alike."""
    return encodable(text).replace("\0", r"\x00")


def group(parent: Any, name: str, nx_class: str) -> Any:
    """Return a new group in *parent*; the original *name* is kept where it had to be changed."""
    allowed = name_for(name, parent)
    made = parent.create_group(allowed)
    made.attrs["NX_class"] = nx_class
    if allowed != name:
        made.attrs["name"] = held(name)
    return made


class Layer:
    """The datasets of a scan's columns in an open *file*, with room for *points*; for any number of them without.

    Everything else that is known about *scan* is written as well. *layout* is None if the scan has no points.
    """

    def __init__(self, file: Any, scan: StoredScan, layout: Layout | None, points: int | None) -> None:
        self._points = points
        file.attrs["NX_class"] = "NXroot"
        file.attrs["default"] = "entry"
        file.attrs["creator"] = f"concert {concert.__version__}"
        entry = group(file, "entry", "NXentry")
        entry.attrs["default"] = "data"
        _describe(entry, scan)
        self.instrument = group(entry, "instrument", "NXinstrument")
        data = group(entry, "data", "NXdata")
        self._elapsed = self._dataset(data, "elapsed", Field(ELAPSED, "<f8", (), "s"))
        self._elapsed.attrs["long_name"] = "time since the scan began / s"
        fields = layout.fields if layout else [Field(column.name, "<f8", (), "") for column in scan.columns]
        self._datasets = [self._column(data, column, field) for column, field in zip(scan.columns, fields, strict=True)]
        _declare_plot(data, scan.columns, fields, self._datasets)
        self._names = [dataset.name for dataset in (self._elapsed, *self._datasets)]
        sizes = [dataset.dtype.itemsize * math.prod(dataset.shape[1:]) for dataset in (self._elapsed, *self._datasets)]
        self._point_size = sum(sizes)
        self._chunk_sizes = sum(max(CHUNK, size) for size in sizes)

    def move_to(self, file: Any) -> None:
        """Go on in *file*, which is the same one, opened anew."""
        self._elapsed, *self._datasets = (file[name] for name in self._names)

    def most(self, points: int) -> int:
        """Return the bytes that the file may grow by for so many more points."""
        # A chunk that is begun is there as a whole.
        return 2 * (points * self._point_size + self._chunk_sizes) + (len(self._names) + 1) * OVERHEAD

    def write(self, block: Block) -> None:
        """Write the points of *block*, behind those before."""
        end = block.first + len(block.elapsed)
        for dataset, values in zip([self._elapsed, *self._datasets], [block.elapsed, *block.columns], strict=True):
            if self._points is None:
                dataset.resize(end, axis=0)
            if values.dtype == object:
                dataset[block.first : end] = np.array([held(text) for text in values], object)
            else:
                dataset[block.first : end] = values.astype(dataset.dtype, copy=False)

    def _column(self, data: Any, column: Column, field: Field) -> Any:
        nx_class, name = _CLASSES[column.role]
        place = group(self.instrument, column.name, nx_class)
        title = place.attrs["name"] = held(column.name)
        dataset = self._dataset(place, name, field)
        unit = field.unit or "" if field.units is None else f"{field.units:~P}"
        dataset.attrs["long_name"] = f"{title} / {unit}" if unit else title
        if column.help:
            dataset.attrs["description"] = held(column.help)
        if column.role == "positioner":
            place["name"] = title
        source = f"{column.device}.{column.parameter}" if column.parameter else column.device
        if source:
            place["description"] = held(source)
        data[name_for(column.name, data)] = dataset
        dataset.attrs["target"] = dataset.name
        return dataset

    def _dataset(self, parent: Any, name: str, field: Field) -> Any:
        import h5py  # only where it is needed

        dtype = np.dtype("u1") if field.dtype == "|b1" else field.dtype
        if field.is_text:
            dtype = h5py.string_dtype("utf-8", LETTERS if self._points is None else None)
        if self._points is not None:
            dataset = parent.create_dataset(name, (self._points, *field.shape), dtype)
        else:
            size = LETTERS if field.is_text else field.numpy_type.itemsize
            chunk = max(1, CHUNK // size)
            dataset = parent.create_dataset(
                name, (0, *field.shape), dtype, maxshape=(None, *field.shape), chunks=(chunk, *field.shape)
            )
        if not field.is_text:
            dataset.attrs["units"] = field.unit or ""
        return dataset


def _declare_plot(data: Any, columns: Iterable[Column], fields: list[Field], datasets: list[Any]) -> None:
    """Say in the NXdata group what is plotted against what."""
    names = {dataset: name for name, dataset in data.items()}
    found = list(zip([names[dataset] for dataset in datasets], columns, fields, strict=True))
    axis = next((name for name, column, field in found if column.role == "positioner" and not field.is_text), ELAPSED)
    numbers = [(name, field) for name, _, field in found if name != axis and not field.is_text]
    curves = [name for name, field in numbers if not field.shape]
    signal = next(iter(curves or [name for name, _ in numbers]), None)
    detectors = [name for name, column, field in found if column.role == "detector" and name in curves]
    signal = next(iter(detectors), signal)
    if signal is None:  # nothing was read that could be drawn
        signal, axis = axis, ELAPSED
    data.attrs["signal"] = signal
    axes = [axis, *_channels(data, signal)]
    data.attrs["axes"] = axes
    for index, name in enumerate(axes):
        data.attrs[f"{name}_indices"] = index
    others = [name for name in curves if name not in (axis, signal)]
    if others and signal in curves:
        data.attrs["auxiliary_signals"] = others


def _channels(data: Any, signal: str) -> list[str]:
    """Number the values along the dimensions of an array that was read at each point; return the names of these."""
    names = []
    for size in data[signal].shape[1:]:
        names.append(name_for(f"{signal}_channel", data))
        data.create_dataset(names[-1], data=np.arange(size)).attrs["units"] = ""
    return names


def link_frames(instrument: Any, frames: Mapping[str, str]) -> None:
    """Link the detectors to the files of their frames, by camera."""
    import h5py  # only where it is needed

    for camera, file in frames.items():
        detector = group(instrument, f"{camera}_frames", "NXdetector")  # a column may be called as the camera is
        detector["local_name"] = held(camera)
        detector["data"] = h5py.ExternalLink(file, FRAMES)


def _describe(entry: Any, scan: StoredScan) -> None:
    entry["title"] = held(scan.title)
    entry["entry_identifier"] = str(scan.number)
    if scan.session:
        entry["experiment_identifier"] = held(scan.session)
    entry["start_time"] = iso(scan.began)
    if scan.ended is not None:
        entry["end_time"] = iso(scan.ended)
        store(entry, "duration", (scan.ended - scan.began).total_seconds() * q.s)
    program = entry.create_dataset("program_name", data="concert")
    program.attrs["version"] = scan.versions.get("concert", "")
    about = group(entry, "scan", "NXcollection")
    known = {
        "number": scan.number,
        "kind": scan.kind,
        "command": scan.command,
        "status": scan.status,
        "reason": scan.reason,
        "plan": to_json(scan.plan),
        "host": scan.writer["host"],
    }
    if scan.expected is not None:
        known["expected_points"] = scan.expected
    store_all(about, known)
    store_all(group(about, "versions", "NXcollection"), scan.versions)
    _describe_metadata(entry, scan.metadata)
    snapshots = {"before": scan.snapshot_before, "after": scan.snapshot_after}
    place = group(entry, "snapshots", "NXcollection")
    for when, devices in snapshots.items():
        if devices is not None:
            _store_snapshot(group(place, when, "NXcollection"), devices)


def _describe_metadata(entry: Any, metadata: Mapping[str, Any]) -> None:
    """Write who measured what where NeXus wants it, and everything else beside it."""
    rest = dict(metadata)
    for key, nx_class in (("user", "NXuser"), ("sample", "NXsample")):
        if key in rest:
            about = rest.pop(key)
            store_all(group(entry, key, nx_class), about if isinstance(about, Mapping) else {"name": about})
    store_all(group(entry, "metadata", "NXcollection"), rest)


def _store_snapshot(parent: Any, devices: Mapping[str, Mapping[str, Any]]) -> None:
    for device, parameters in devices.items():
        store_all(group(parent, device, "NXcollection"), parameters)


def store_all(parent: Any, values: Mapping[str, Any]) -> None:
    """Write *values* into the group; mappings become groups in it."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            store_all(group(parent, name, "NXcollection"), value)
        else:
            store(parent, name, value)


def store(parent: Any, name: str, value: Any) -> None:
    """Write a single *value*, a quantity with its unit; what HDF5 cannot hold becomes text, and None an empty one."""
    unit = None
    if isinstance(value, q.Quantity):
        value, unit = value.magnitude, unit_text(value.units)
    elif isinstance(value, UnknownQuantity):
        value, unit = value
    allowed = name_for(name, parent)
    if not isinstance(value, str):
        array = np.asarray("" if value is None else value) if not _is_ragged(value) else np.asarray(str(value))
        value = array if array.dtype.kind in "biufc" else str(value) if value is not None else ""
    dataset = parent.create_dataset(allowed, data=held(value) if isinstance(value, str) else value)
    if unit is not None:
        dataset.attrs["units"] = unit
    if allowed != name:
        dataset.attrs["name"] = held(name)


def _is_ragged(value: Any) -> bool:
    try:
        np.asarray(value)
    except ValueError:
        return True
    return False


def iso(time: datetime) -> str:
    """Return *time* as ISO 8601 has it, with its zone."""
    return time.isoformat()
