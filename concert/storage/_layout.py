"""How the values of a point become the bytes of a row, and rows become columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from concert.storage._fields import Field, TooNarrow, field_for, struct_for

_LENGTH = np.dtype("<u4")  # before each text
_ENCODING = ("utf-8", "surrogatepass")  # of texts as Python has them, which need not be valid ones


class Layout:
    """The *fields* of a row: those of a fixed size one after the other, then the texts, each behind its length."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = list(fields)
        self._fixed = [field for field in self.fields if not field.is_text]
        self._texts = [index for index, field in enumerate(self.fields) if field.is_text]
        self._takes = [field.plain for field in self.fields]
        self._struct = struct_for(self.fields)
        self._dtype = np.dtype([(f"f{index}", field.numpy_type) for index, field in enumerate(self._fixed)])

    @classmethod
    def of(cls, names: Sequence[str], values: Sequence[Any]) -> Layout:
        """Return the layout that fits the first point: *values* of the columns called *names*."""
        return cls([field_for(name, value) for name, value in zip(names, values, strict=True)])

    @classmethod
    def described(cls, description: Sequence[dict[str, Any]]) -> Layout:
        """Return the layout that :meth:`describe` described."""
        return cls([Field(each["name"], each["dtype"], tuple(each["shape"]), each["unit"]) for each in description])

    def describe(self) -> list[dict[str, Any]]:
        """Return the layout as JSON takes it."""
        return [field.describe() for field in self.fields]

    def pack(self, values: Sequence[Any]) -> bytes:
        """Return the row of a point's *values*.

        Raise :exc:`ValueError` if one of them cannot be held, and :exc:`.TooNarrow` if it could be after :meth:`widen`.
        """
        if len(values) != len(self.fields):
            raise ValueError(f"a point has {len(self.fields)} values, one for each column, not {len(values)}")
        plain = [take(value) for take, value in zip(self._takes, values, strict=True)]
        if not self._texts:
            return self._struct.pack(*plain)
        texts = [plain[index].encode(*_ENCODING) for index in self._texts]
        fixed = [value for value, field in zip(plain, self.fields, strict=True) if not field.is_text]
        lengths = np.array([len(text) for text in texts], _LENGTH).tobytes()
        return self._struct.pack(*fixed) + lengths + b"".join(texts)

    def widen(self, values: Sequence[Any]) -> Layout:
        """Return a layout that holds *values* as well as what this one holds."""
        fields = []
        for field, value in zip(self.fields, values, strict=True):
            try:
                field.plain(value)
            except TooNarrow as narrow:
                field = narrow.field
            fields.append(field)
        return Layout(fields)

    def unpack(self, rows: Sequence[bytes]) -> list[Any]:
        """Return the columns of *rows*: an array of plain values for each field, of objects for texts."""
        if self._texts:
            fixed, texts = self._split(rows)
        else:
            fixed, texts = b"".join(rows), {}
        table = np.frombuffer(fixed, self._dtype) if self._fixed else None
        columns, number = [], 0
        for index, field in enumerate(self.fields):
            if field.is_text:
                columns.append(np.array(texts[index], object))
            else:
                assert table is not None
                columns.append(np.ascontiguousarray(table[f"f{number}"]))
                number += 1
        return columns

    def _split(self, rows: Sequence[bytes]) -> tuple[bytes, dict[int, list[str]]]:
        """Return the part of the rows that has a fixed size, and the texts by the index of their field."""
        size, head = self._struct.size, self._struct.size + len(self._texts) * _LENGTH.itemsize
        texts: dict[int, list[str]] = {index: [] for index in self._texts}
        for row in rows:
            end = head
            for index, length in zip(self._texts, np.frombuffer(row[size:head], _LENGTH), strict=True):
                begin, end = end, end + int(length)
                texts[index].append(row[begin:end].decode(*_ENCODING))
        return b"".join(row[:size] for row in rows), texts
