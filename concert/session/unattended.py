"""What a served device does when the client that moves it is gone: it is the session's author who knows."""

from __future__ import annotations

from weakref import WeakSet

from concert.devices.base import Device

_going_on: WeakSet[Device] = WeakSet()


def unattended(*devices: Device) -> None:
    """Let what a client has started on the *devices* go on when that client is gone: a line of a session.

    Without it, a served device is stopped when the client that moves it dies or is cut off: nobody would see where it
    goes. A heater on its ramp, for example, should rather go on::

        unattended(heater)
    """
    for device in devices:
        if not isinstance(device, Device):
            raise TypeError(f"expected devices that go on without their client, not {device!r}")
    _going_on.update(devices)


def goes_on(device: Device) -> bool:
    """Tell whether *device* goes on when its client is gone."""
    return device in _going_on
