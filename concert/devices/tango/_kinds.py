"""What an attribute's configuration says about its values, and how they are checked before they go to the server."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from concert.devices.tango._units import unit_of
from concert.quantities import q, shown

LOG = logging.getLogger("concert.devices.tango")

RANKS = {"SCALAR": 0, "SPECTRUM": 1, "IMAGE": 2}
NUMBERS = {
    "DevUChar": np.uint8,
    "DevShort": np.int16,
    "DevUShort": np.uint16,
    "DevLong": np.int32,
    "DevULong": np.uint32,
    "DevLong64": np.int64,
    "DevULong64": np.uint64,
    "DevFloat": np.float32,
    "DevDouble": np.float64,
}

_reported: set[str] = set()  # units that nobody knows


class Kind:
    """The kind of values that an attribute takes and gives, from its configuration, an ``AttributeInfoEx``."""

    def __init__(self, config: Any, device: str, data_type: str) -> None:
        self.attribute: str = config.name
        self.data_type = data_type  # DevDouble, for example
        self.rank = RANKS[str(config.data_format).rpartition(".")[2]]
        self.dtype: Any = NUMBERS.get(data_type)
        self.labels: tuple[str, ...] = tuple(config.enum_labels) if data_type == "DevEnum" else ()
        access = str(config.writable).rpartition(".")[2]
        self.readable = access != "WRITE"
        self.writable = access in ("WRITE", "READ_WRITE")
        self.unit_text: str = config.unit
        self.unit = self._find_unit(device)
        self.lower, self.upper = self._find_limits(config, device)
        self.shape = (config.max_dim_y, config.max_dim_x)[2 - self.rank :]  # the largest
        self.help = _one_line(config.description, config.label)

    def _find_unit(self, device: str) -> Any:
        unit = unit_of(self.unit_text)
        self.has_unit = unit is not None and unit != q.dimensionless
        if unit is not None:
            return unit
        if self.unit_text not in _reported and self.dtype is not None:
            _reported.add(self.unit_text)
            LOG.warning(
                "the unit %r of %s/%s is not known: its values are numbers without a unit",
                self.unit_text,
                device,
                self.attribute,
            )
        return q.dimensionless

    def _find_limits(self, config: Any, device: str) -> tuple[Any, Any]:
        if self.dtype is None or not self.writable:
            return None, None
        lower, upper = (self._limit(text) for text in (config.min_value, config.max_value))
        if lower is not None and upper is not None and not lower < upper:
            LOG.warning("the limits %s and %s of %s/%s are none", lower, upper, device, self.attribute)
            return None, None
        return lower, upper

    def _limit(self, text: str) -> Any:
        try:
            return q.Quantity(float(text), self.unit)
        except ValueError:  # "Not specified"
            return None

    # -- values -------------------------------------------------------------------------------------------------

    def check(self, name: str, given: Any, came: Any) -> None:
        """Raise :exc:`ValueError` if the server does not take *given*, which *came* for the parameter *name*."""
        if self.data_type == "DevString" and not self.rank and not isinstance(given, str):
            raise ValueError(f"{name} must be text, not {shown(came)}")
        if self.rank:
            self._check_shape(name, given, came)
        if self.dtype is not None and np.issubdtype(self.dtype, np.integer):
            self._check_integer(name, np.asarray(given), came)

    def _check_shape(self, name: str, given: Any, came: Any) -> None:
        shape = np.shape(given)
        what = "a list" if self.rank == 1 else "an array of two dimensions"
        if len(shape) != self.rank:
            raise ValueError(f"{name} must be {what}, not {shown(came)}")
        if any(size > most for size, most in zip(shape, self.shape, strict=True)):
            most, size = (" × ".join(map(str, sizes)) for sizes in (self.shape, shape))
            raise ValueError(f"{name} must be {what} of at most {most}, not of {size}")

    def _check_integer(self, name: str, numbers: Any, came: Any) -> None:
        if numbers.dtype.kind == "f" and not np.all(numbers == np.floor(numbers)):
            raise ValueError(f"{name} must be a whole number, not {shown(came)}")
        info = np.iinfo(self.dtype)
        if np.any(numbers < info.min) or np.any(numbers > info.max):
            raise ValueError(f"{name} must be between {info.min} and {info.max}, not {shown(came)}")

    def to_wire(self, given: Any) -> Any:
        """Return the checked value *given* as PyTango takes it."""
        if self.labels:
            return self.labels.index(given) if not self.rank else [self.labels.index(each) for each in given]
        if self.dtype is not None:
            return np.asarray(given).astype(self.dtype) if self.rank else self.dtype(given).item()
        return given

    def from_wire(self, value: Any) -> Any:
        """Return what PyTango gave as a user gets it."""
        if self.dtype is not None:
            return q.Quantity(np.zeros((0,) * self.rank) if value is None else value, self.unit)
        if self.labels:
            return self._label(value) if not self.rank else tuple(self._label(each) for each in value or ())
        if self.data_type == "DevState" and not self.rank:
            return str(value).lower()
        if self.data_type == "DevBoolean" and not self.rank:
            return bool(value)
        return tuple(value or ()) if self.data_type == "DevString" and self.rank == 1 else value

    def _label(self, number: int) -> str:
        if not 0 <= number < len(self.labels):
            raise ValueError(f"{self.attribute} is {number}, and has only the labels {', '.join(self.labels)}")
        return self.labels[number]


def _one_line(*texts: str) -> str:
    """Return the first of *texts* that says something."""
    useful = (" ".join(text.split()) for text in texts if text and text != "No description")
    return next(useful, "")
