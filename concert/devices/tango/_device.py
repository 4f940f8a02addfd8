"""A Concert device from any Tango device."""

from __future__ import annotations

from typing import Any

from concert.base import Parameter
from concert.devices.tango._backed import TangoBacked
from concert.devices.tango._commands import method_of
from concert.devices.tango._kinds import Kind
from concert.devices.tango._names import python_name
from concert.devices.tango._parameters import parameter_of
from concert.quantities import q

OWN = {"state"}  # which every device has


class TangoDevice(TangoBacked):
    """A device with whatever the Tango device called *uri* has; which is asked when the object is made.

    ======================= ==========================================================================================
    numbers                 quantities, with the attribute's unit; its minimum and maximum are the soft limits
    spectra, images         quantities that are arrays: (length,) or (height, width)
    enumerations, booleans  selections: of the labels, of False and True
    text, and all the rest  parameters
    State                   ``state``, in small letters: ``'on'``, ``'moving'``, ``'fault'``
    commands                asynchronous methods, whose argument is as Tango's and without a unit: futures
    ======================= ==========================================================================================

    Names are spelt as Python does, ``ExposureTime`` becomes ``exposure_time``; with a _ at the end where a device has
    something else of that name. What can be read and written is as the attribute's configuration says. Subscribers to
    a parameter hear of the changes that the server tells (change events). *main_parameter* is what the device stands
    for in scans. A subclass may declare parameters of its own; attributes of the same name are then left alone.

    >>> camera = TangoDevice("exp/camera/1")                    # doctest: +SKIP
    >>> camera.exposure_time = 20 * q.ms                        # doctest: +SKIP
    >>> camera.acquire(timeout=10 * q.s).join()                 # doctest: +SKIP
    """

    def __init__(
        self,
        uri: str,
        peer: str | None = None,
        name: str | None = None,
        timeout: Any = 3 * q.s,
        main_parameter: str | None = None,
    ) -> None:
        super().__init__(uri, peer, name, timeout)
        attributes, commands, description = self.tango.call(
            lambda proxy: (proxy.attribute_list_query_ex(), proxy.command_list_query(), proxy.description()),
            doing="looking for its attributes and commands",
        )
        self._become(attributes, commands, description)
        if main_parameter is not None:
            self.main_parameter = self[main_parameter].name  # type: ignore[misc]  # of this one alone

    def _become(self, attributes: Any, commands: Any, description: str) -> None:
        """Get a class of one's own, with parameters and methods."""
        cls = type(self)
        members: dict[str, Any] = {}
        for config in attributes:
            if python_name(config.name) in OWN:
                continue
            if isinstance(getattr(cls, python_name(config.name), None), Parameter):
                self._attributes.setdefault(python_name(config.name), config.name)
                continue
            name = python_name(config.name, {*dir(cls), *members})
            members[name] = parameter_of(Kind(config, self.tango.device_name, self._type_name(config.data_type)))
            self._attributes[name] = config.name
        for command in commands:
            if command.cmd_name not in ("State", "Status"):
                name = python_name(command.cmd_name, {*dir(cls), *members})
                members[name] = method_of(name, command)
        about = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": description or cls.__doc__}
        self.__class__ = type(cls.__name__, (cls,), about | members)

    @staticmethod
    def _type_name(data_type: int) -> str:
        import tango  # optional, and slow; it is there, for the attributes have come through it

        return str(tango.CmdArgType(data_type)).rpartition(".")[2]
