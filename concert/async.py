"""The documented spelling of :mod:`concert.async_`: the same module object."""

import sys

import concert.async_

sys.modules[__name__] = concert.async_
