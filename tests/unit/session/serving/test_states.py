"""States: Concert's words and Tango's."""

import pytest
from tango import DevState

from concert.session.serving._states import dev_state


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("standby", DevState.STANDBY),
        ("moving", DevState.MOVING),
        ("hard-limit", DevState.ALARM),
        ("error", DevState.FAULT),
        ("closed", DevState.CLOSE),
        ("on", DevState.ON),
        ("readout", DevState.RUNNING),
        ("something", DevState.UNKNOWN),
    ],
)
def test_states_are_the_nearest_of_tango(word, state):
    assert dev_state(word) == state
