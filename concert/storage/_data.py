"""What a scan has measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from concert.storage._analysis import Curve


class ScanData:
    """The columns of a scan, by name, each an array quantity with as many values as there are points.

    (Those of texts are plain arrays.) *title* says what was done; *axis* is the column that was varied and *signal* the
    first one that was read; *began* is when the scan began, with its time zone. *positioners* are all columns that were
    varied; without them it is the axis.
    """

    def __init__(
        self,
        title: str,
        columns: Mapping[str, Any],
        axis: str,
        signal: str,
        began: datetime,
        positioners: Sequence[str] | None = None,
    ) -> None:
        self.began = began
        self.title = title
        self.columns = columns
        self.axis = axis
        self.signal = signal
        self.positioners = (axis,) if positioners is None else tuple(positioners)

    def __len__(self) -> int:
        return len(self.columns[self.axis])

    def __getitem__(self, name: str) -> Any:
        try:
            return self.columns[name]
        except KeyError:
            raise KeyError(f"the scan has no column {name!r}; it has {', '.join(self.columns)}") from None

    def __repr__(self) -> str:
        return f"<ScanData {self.title}, {len(self)} points of {', '.join(self.columns)}>"

    def curve(self, signal: str | None = None) -> Curve:
        """Return the column *signal*, else the first one that was read, over what was varied."""
        name = self.signal if signal is None else signal
        return Curve({each: self[each] for each in self.positioners}, name, self[name])

    @property
    def peak(self) -> tuple[Any, Any]:
        """Where the signal is greatest, and its value there."""
        where, height = self.curve().peak()
        return single(where), height

    @property
    def com(self) -> Any:
        """The centre of mass of the signal above its smallest value."""
        return single(self.curve().com())

    @property
    def cen(self) -> Any:
        """The middle between the two places where the signal crosses half of its height above the background."""
        return single(self.curve().cen())

    @property
    def fwhm(self) -> Any:
        """The full width at half maximum above the background."""
        return self.curve().fwhm()

    def summary(self) -> str:
        """Return the peak, the centre and the width as a line of text."""
        return self.curve().summary()


def single(where: Mapping[str, Any]) -> Any:
    """Return a position: of one motor as a quantity, of several as a dictionary."""
    return next(iter(where.values())) if len(where) == 1 else dict(where)
