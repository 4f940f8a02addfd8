"""Errors of the line, which knows no devices, come with the device's name."""

import pytest

from concert.base import Parameterizable, Quantity, State
from concert.quantities import q


class Stage(Parameterizable):
    """A stage behind a line that is cut."""

    state = State()
    position = Quantity(q.mm)

    def _get_position(self):
        raise TimeoutError("no answer from 10.0.3.9:4002 to 'P?' within 5 s")

    def _set_position(self, position):
        raise ConnectionError("no connection to 10.0.3.9:4002: connection refused")

    def _get_state(self):
        raise ConnectionError("no connection to 10.0.3.9:4002: connection refused")


@pytest.fixture
def stage():
    stage = Stage()
    stage.name = "stage"
    return stage


@pytest.mark.parametrize(
    ("ask", "error", "note"),
    [
        (lambda stage: stage.position, TimeoutError, "while reading stage.position"),
        (lambda stage: stage.get_position().result(), TimeoutError, "while reading stage.position"),
        (lambda stage: stage.set_position(1 * q.mm).result(), ConnectionError, "while setting stage.position"),
        (lambda stage: stage.state, ConnectionError, "while reading stage.state"),
    ],
    ids=["read", "get", "set", "state"],
)
def test_the_device_is_named(stage, ask, error, note):
    with pytest.raises(error) as raised:
        ask(stage)
    assert raised.value.__notes__ == [note]
