"""What the tests of interlocks watch."""

from concert.base import Quantity, Selection
from concert.devices.base import Device
from concert.quantities import q


class Ring(Device):
    """A storage ring: its current may be set, or change by itself; *trouble* is raised by reading it."""

    current = Quantity(q.mA)
    shutter = Selection(["open", "closed"])

    def __init__(self):
        super().__init__("ring")
        self.stored = 100 * q.mA
        self.trouble = None
        self.reads = 0
        self._shutter = "open"

    def _get_current(self):
        self.reads += 1
        if self.trouble is not None:
            raise self.trouble
        return self.stored

    def _set_current(self, current):
        self.stored = current

    def _get_shutter(self):
        return self._shutter

    def _set_shutter(self, position):
        self._shutter = position
