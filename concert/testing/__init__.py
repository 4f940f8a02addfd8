"""For the tests of devices and sessions: what authors need beyond the fixtures of the pytest plug-in ``concert``."""

from concert.testing._clock import Clock, virtual_time
from concert.testing._conversation import expected_conversation
from concert.testing._leaks import nothing_left_behind

__all__ = ["Clock", "expected_conversation", "nothing_left_behind", "virtual_time"]
