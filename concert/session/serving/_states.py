"""States: Concert's words and Tango's."""

from __future__ import annotations

from tango import DevState

_STATES = {
    "standby": DevState.STANDBY,
    "moving": DevState.MOVING,
    "hard-limit": DevState.ALARM,
    "error": DevState.FAULT,
    "fault": DevState.FAULT,
    "open": DevState.OPEN,
    "closed": DevState.CLOSE,
    "opening": DevState.MOVING,
    "closing": DevState.MOVING,
    "recording": DevState.RUNNING,
    "readout": DevState.RUNNING,
    "disabled": DevState.DISABLE,
}


def dev_state(state: str) -> DevState:
    """Return the Tango state that is nearest to *state*; the Status tells the word itself."""
    return _STATES.get(state) or getattr(DevState, state.upper(), DevState.UNKNOWN)
