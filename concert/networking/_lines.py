"""Bytes to lines, without I/O: what has arrived goes in, in packets of any size, and whole lines come out."""

LIMIT = 16 * 1024 * 1024  # bytes; more than any reply, less than would hurt


class LineTooLongError(ConnectionError):
    """Raised when a line does not end within the limit."""


class Lines:
    """A buffer of received bytes that gives them back as lines, each ended by *end*.

    Neither where packets begin and end nor the length of *end* matters: it may arrive in pieces. Each byte is looked at
    a fixed number of times, however the bytes come.

    >>> lines = Lines(b"\\r\\n")
    >>> lines.feed(b"1.5\\r")
    >>> lines.take()
    >>> lines.feed(b"\\n2")
    >>> lines.take()
    b'1.5'
    >>> lines.rest
    b'2'
    """

    def __init__(self, end: bytes, limit: int = LIMIT) -> None:
        if not end:
            raise ValueError("expected a return sequence of one character or more, not an empty one")
        self._end = end
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 0  # no end begins before this index

    @property
    def rest(self) -> bytes:
        """What was fed and not taken."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> None:
        """Add *data*, which follows what was fed before."""
        self._buffer += data

    def take(self) -> bytes | None:
        """Remove and return the next line without its end, or return None if it is not complete.

        Raise :exc:`LineTooLongError` when the line, complete or not, is longer than the limit.
        """
        found = self._buffer.find(self._end, self._searched)
        if found < 0:
            # The last bytes may be the beginning of an end.
            self._searched = max(0, len(self._buffer) - len(self._end) + 1)
            self._check_length(self._searched)
            return None
        self._check_length(found)
        line = bytes(self._buffer[:found])
        # A bytearray drops its beginning without moving the rest.
        del self._buffer[: found + len(self._end)]
        self._searched = 0
        return line

    def _check_length(self, length: int) -> None:
        if length > self._limit:
            raise LineTooLongError(f"expected {self._end!r} within {self._limit} bytes, not {length} bytes without it")
