"""A Tango device server with every kind of attribute and of trouble: ``python -m tests.tango_server``.

``test/specimen/1`` and so on, as many as ``--devices`` says.
"""

import argparse
import os
import time
from enum import IntEnum

import numpy as np
import tango
from tango import AttrQuality, AttrWriteType, DevState
from tango.server import Device, attribute, command

from concert.simulation._tango_server import serve

RW = AttrWriteType.READ_WRITE


class Mode(IntEnum):
    IDLE = 0
    SINGLE = 1
    BURST = 2


def _keep(name, dtype, **properties):
    """Return an attribute that keeps what is written to it."""

    def read(self):
        return self.values[name]

    def write(self, value):
        self.values[name] = value
        if name == "Number":
            self.push_change_event(name, value)

    return attribute(dtype=dtype, access=RW, fget=read, fset=write, **properties)


class Specimen(Device):
    """Attributes keep what is written to them."""

    def init_device(self):
        super().init_device()
        self.set_state(DevState.ON)
        self.set_change_event("Number", True, False)
        self.set_change_event("State", True, False)
        self.values = {
            "Number": 1.5,
            "Whole": 7,
            "Tiny": 1,
            "Enabled": False,
            "Mode": Mode.IDLE,
            "Label": "sample",
            "Spectrum": np.arange(4.0),
            "Words": ["one", "two"],
            "ExposureTime": 0.5,
            "Warmth": 21.5,
            "Crates": 3.0,
            "Name": "a specimen",
        }
        self.secret = 0.0

    Number = _keep("Number", float, unit="mm", min_value=-10, max_value=10, doc="a length")
    Whole = _keep("Whole", int, min_value=0, max_value=100)
    Tiny = _keep("Tiny", np.uint8)
    Enabled = _keep("Enabled", bool)
    Mode = _keep("Mode", Mode)
    Label = _keep("Label", str)
    Spectrum = _keep("Spectrum", (float,), max_dim_x=8, unit="um")
    Words = _keep("Words", (str,), max_dim_x=8)
    ExposureTime = _keep("ExposureTime", float, unit="sec")
    Warmth = _keep("Warmth", float, unit="deg C")
    Crates = _keep("Crates", float, unit="crates of ale")
    Name = _keep("Name", str)

    @attribute(dtype=float, access=AttrWriteType.WRITE, unit="V")
    def Secret(self):
        return self.secret

    @Secret.write
    def Secret(self, value):
        self.secret = value

    @attribute(dtype=float, unit="V")
    def Shown(self):
        return self.secret

    @attribute(dtype=((np.uint16,),), max_dim_x=16, max_dim_y=16, unit="counts")
    def Picture(self):
        return np.arange(6, dtype=np.uint16).reshape(2, 3)

    @attribute(dtype=float, unit="V")
    def Unknowable(self):
        return 0.0, time.time(), AttrQuality.ATTR_INVALID

    @attribute(dtype=float)
    def Broken(self):
        raise ValueError("the cryostat is warm")

    @attribute(dtype=float, unit="s")
    def Slow(self):
        time.sleep(1)
        return 1.0

    @command(dtype_in=float, dtype_out=float)
    def Wait(self, duration):
        time.sleep(duration)
        return duration

    @command(dtype_in=float, dtype_out=float)
    def Double(self, number):
        return 2 * number

    @command(dtype_in=(float,), dtype_out=float)
    def Total(self, numbers):
        return float(sum(numbers))

    @command
    def Fail(self):
        raise ValueError("the cryostat is warm")

    @command
    def Throw(self):
        tango.Except.throw_exception("Cryostat_Warm", "the cryostat\nis warm", "Specimen::Throw")

    @command(dtype_in=str)
    def Become(self, state):
        self.set_state(getattr(DevState, state))
        self.push_change_event("State", getattr(DevState, state))

    @command
    def Die(self):
        os._exit(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--database")
    parser.add_argument("--name", default="TestSpecimen/1")
    parser.add_argument("--devices", type=int, default=2)
    parser.add_argument("--until-stdin-closes", action="store_true")
    options = parser.parse_args()
    devices = {f"test/specimen/{number + 1}": "Specimen" for number in range(options.devices)}
    serve((Specimen,), devices, options.name, options.port, options.database, options.until_stdin_closes)


if __name__ == "__main__":
    main()
