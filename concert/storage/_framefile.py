"""An HDF5 file of frames that are written one by one, as they come, past the library's own buffers."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

import concert
from concert.storage._beside import beside, clear_away, put_aside
from concert.storage._nexus import FRAMES, group, held
from concert.storage._steps import SteppingSink, recover

LOG = logging.getLogger("concert.storage")

TIMES = 4096  # of frames, that grow together


class FrameFile:
    """The file at *path*, with the frames of *camera* that belong to scan *number*.

    Everything in it is there before the first frame, and what was there at a :meth:`flush` can be read from then on,
    whenever the process dies. All methods but :meth:`check` are to be run by the worker of HDF5.
    """

    def __init__(self, path: Path, camera: str, number: int) -> None:
        self._path = path
        self._camera = camera
        self._number = number
        self._sink: SteppingSink | None = None
        self._file: Any = None
        self._data: Any = None
        self._times: Any = None
        self._count = 0
        self._shape: tuple[int, ...] | None = None
        self.dtype: np.dtype | None = None

    def open(self, start: int | None) -> int:
        """Open a file that is there already, and keep its first *start* frames; return how many there are.

        One that cannot be read, for its process died in the middle of making it, has none, and is put aside.
        """
        if not self._path.exists() or not self._path.stat().st_size:
            if start:
                raise ValueError(f"there are no {start} frames in {self._path.name} to keep: it is not there, or empty")
            return 0
        try:
            self._open()
        except (OSError, KeyError) as error:
            self.abandon()
            if isinstance(error, OSError) and error.errno is not None:  # it is the disk's, not that of what is in there
                raise
            if start:
                raise ValueError(f"there are no {start} frames in {self._path.name} to keep: {error}") from error
            aside = put_aside(self._path)
            LOG.warning("%s cannot be read and is %s now; frames begin anew: %s", self._path, aside.name, error)
            return 0
        there = min(len(self._data), len(self._times))
        if start is not None and start > there:
            self.abandon()
            raise ValueError(f"there are only {there} frames in {self._path.name}, not {start}")
        self._count = there if start is None else start
        self._shape, self.dtype = self._data.shape[1:], self._data.dtype
        return self._count

    def check(self, frame: Any) -> None:
        """Raise :exc:`ValueError` if *frame* is not one like those before; the first one decides."""
        if self._shape is None:
            if frame.ndim != 2 or not frame.size or frame.dtype.kind not in "iuf":
                raise ValueError(f"a frame is a 2D array of numbers, not {frame.ndim}D of {frame.dtype}")
            self._shape, self.dtype = frame.shape, frame.dtype.newbyteorder("<")
        elif frame.shape != self._shape or frame.dtype.newbyteorder("<") != self.dtype:
            raise ValueError(
                f"the frames of {self._camera} are arrays of shape {self._shape} of {self.dtype}, "
                f"not of shape {frame.shape} of {frame.dtype}"
            )

    def append(self, frame: Any, elapsed: float) -> None:
        """Write the next frame, and how many seconds after the beginning of the scan it came."""
        if self._file is None:
            if self._sink is None and not self._count:
                self._make()
            else:  # somebody wanted to close it, and that failed
                self._open()
        index = self._count
        self._data.resize(index + 1, axis=0)
        self._data.id.write_direct_chunk((index, 0, 0), frame)
        if index >= len(self._times):
            self._times.resize(index + 1, axis=0)
        self._times[index] = elapsed
        self._count = index + 1

    def check_disk(self) -> None:
        """Raise :exc:`OSError` if the disk has not taken everything; it is offered once more."""
        if self._sink is not None:
            self._sink.check()

    def flush(self) -> None:
        """Have the file complete as it is now."""
        if self._file is not None and self._sink is not None:
            self._file.flush()
            self._sink.step()

    def close(self) -> None:
        """Close the file, without frames that were not to be kept; what fails of that can be tried again."""
        if self._file is not None:
            for dataset in (self._data, self._times):
                dataset.resize(self._count, axis=0)
            self.flush()
            file, self._file, self._data, self._times = self._file, None, None, None
            file.close()
        if self._sink is not None:
            self._sink.look()
            self._sink.step()
            self._sink.synchronise()
            self._sink.release()
            self._sink = None

    def _open(self) -> None:
        import h5py  # loaded by the worker

        if self._sink is None:
            recover(self._path)
            self._sink = SteppingSink(self._path, append=True)
        self._file = h5py.File(self._sink, "r+", libver="earliest")
        self._bind()

    def abandon(self) -> None:
        """Leave the file as it is."""
        file, self._file, self._data, self._times = self._file, None, None, None
        sink, self._sink = self._sink, None
        if file is not None:
            file.close()
        if sink is not None:
            sink.release()

    def _make(self) -> None:
        try:
            with beside(self._path) as unfinished:
                self._sink = SteppingSink(unfinished)
                self._fill(self._sink)
                self.flush()
        except BaseException:
            self.abandon()
            raise
        self._sink.path = self._path
        clear_away(self._path)

    def _fill(self, sink: SteppingSink) -> None:
        import h5py  # loaded by the worker

        assert self._shape is not None
        self._file = h5py.File(sink, "w", libver="earliest")
        self._file.attrs["default"] = "entry"
        entry = group(self._file, "entry", "NXentry")
        entry.attrs["default"] = "data"
        entry["title"] = held(f"frames of {self._camera} in scan {self._number}")
        entry["entry_identifier"] = str(self._number)
        program = entry.create_dataset("program_name", data="concert")
        program.attrs["version"] = concert.__version__
        detector = group(group(entry, "instrument", "NXinstrument"), "detector", "NXdetector")
        detector["local_name"] = held(self._camera)
        frames = detector.create_dataset(
            "data", (0, *self._shape), self.dtype, maxshape=(None, *self._shape), chunks=(1, *self._shape)
        )
        frames.attrs["units"] = ""
        frames.attrs["target"] = frames.name
        data = group(entry, "data", "NXdata")
        data["data"] = frames
        times = data.create_dataset("elapsed", (0,), "<f8", maxshape=(None,), chunks=(TIMES,))
        times.attrs["units"] = "s"
        times.attrs["long_name"] = "time since the scan began / s"
        for axis, size in zip("yx", self._shape, strict=True):
            data.create_dataset(axis, data=np.arange(size)).attrs["units"] = "pixel"
        data.attrs["signal"] = "data"
        data.attrs["axes"] = ["elapsed", "y", "x"]
        for index, name in enumerate(("elapsed", "y", "x")):
            data.attrs[f"{name}_indices"] = index
        self._bind()

    def _bind(self) -> None:
        self._data = self._file[FRAMES]
        self._times = self._file["entry/data/elapsed"]
