"""Reconnecting devices that are offline, and making up for what a session had to leave out because of them."""

from __future__ import annotations

from concert.devices.base import Device
from concert.session import inventory
from concert.session.loader import name_devices
from concert.session.offline import Offline, OfflineError
from concert.session.overview import show
from concert.session.telling import tell


def reconnect(*devices: Device) -> None:
    """Connect to *devices* that are offline, and show how they are.

    One that could not be made when the session was loaded is made now, and what the session file says about it is made
    up for. Raise what is still wrong with it.
    """
    if not devices:
        raise ValueError("expected what to connect to: reconnect(camera)")
    connected = [_made(device) if isinstance(device, Offline) else _asked(device) for device in devices]
    show({device.name: device for device in connected})


def _asked(device: Device) -> Device:
    """Let a device that has a method for it connect; the others do so whenever they are used."""
    connect = getattr(device, "reconnect", None)
    if connect is not None:
        connect()
    return device


def _made(offline: Offline) -> Device:
    device = offline._reconnect()
    if device._name is None:
        device.name = offline.name
    inventory.replace(offline, device)
    left_out, offline._left_out = offline._left_out, []
    for statement in left_out:
        try:
            statement.run()
        except OfflineError as error:  # there is another one that it needs
            error.device._left_out.append(statement)
        except Exception as error:
            tell(error)
        name_devices(statement.namespace)
        given = {name: statement.namespace[name] for name in statement.names if name in statement.namespace}
        inventory.publish(given)
    return device
