"""A device without hardware, for trying things out."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from concert.base import Parameter, Quantity, Selection, State, transition
from concert.devices.base import Device
from concert.quantities import q, seconds


class DummyDevice(Device):
    """A device with one parameter of each kind; setting its *value* takes *delay*, no time by default."""

    main_parameter = "value"
    state = State(default="standby")
    value = Quantity(q.mm, tolerance=0 * q.mm, help="A length, which takes its time")
    comment = Parameter(help="Some text")
    mode = Selection(["slow", "fast"], help="One of two")

    def __init__(self, value: Any = 0 * q.mm, delay: Any = 0 * q.s, name: str | None = None) -> None:
        super().__init__(name)
        self._value = value
        self._delay = delay
        self._comment = ""
        self._mode = "slow"

    def _get_value(self) -> Any:
        return self._value

    @transition(immediate="moving", target="standby")
    def _set_value(self, value: Any) -> None:
        delay = seconds(self._delay)
        if delay:
            time.sleep(delay)
        self._value = value

    def _estimate_value(self, begin: Any, end: Any) -> Any:
        return np.full(np.broadcast_shapes(np.shape(begin), np.shape(end)), seconds(self._delay)) * q.s

    def _get_comment(self) -> str:
        return self._comment

    def _set_comment(self, comment: str) -> None:
        self._comment = comment

    def _get_mode(self) -> str:
        return self._mode

    def _set_mode(self, mode: str) -> None:
        self._mode = mode
