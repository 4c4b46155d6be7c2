"""Thrift's compact protocol as plain values: what the footer and the page headers of Parquet are written in.

A struct is a list of (field id, type, value); a list is (type of its elements, elements). It knows no field's meaning,
so that what is read and written again stays what it was. Source: the protocol's specification, thrift-compact-protocol.
"""

from dataclasses import dataclass
from typing import Any

TRUE, FALSE, BYTE, I32, I64, DOUBLE, BINARY, LIST, SET, STRUCT, UUID = 1, 2, 3, 5, 6, 7, 8, 9, 10, 12, 13
DEEPEST = 32
"""Structs in structs; chosen: Parquet has 8."""

Struct = list[tuple[int, int, Any]]


class Malformed(Exception):
    """The bytes are no such struct."""


@dataclass(slots=True)
class Reader:
    """Reads from `data` on from `at`. Raises Malformed for what is cut short, too deep or of no known type."""

    data: bytes
    at: int = 0

    def struct(self, depth: int = 0) -> Struct:
        """The next struct."""
        if depth > DEEPEST:
            raise Malformed("too deep")
        fields: Struct = []
        number = 0
        while head := self._byte():
            kind, step = head & 15, head >> 4
            number = number + step if step else self._signed()
            fields.append((number, kind, self._value(kind, depth, field=True)))
        return fields

    def _byte(self) -> int:
        if self.at >= len(self.data):
            raise Malformed("cut short")
        self.at += 1
        return self.data[self.at - 1]

    def _taken(self, length: int) -> bytes:
        if length < 0 or length > len(self.data) - self.at:
            raise Malformed("cut short")
        self.at += length
        return self.data[self.at - length : self.at]

    def _unsigned(self) -> int:
        found = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            found |= (byte & 127) << shift
            if byte < 128:
                return found
        raise Malformed("a number is too long")

    def _signed(self) -> int:
        found = self._unsigned()
        return (found >> 1) ^ -(found & 1)

    def _value(self, kind: int, depth: int, *, field: bool = False) -> Any:
        if kind in (TRUE, FALSE):
            return kind if field else self._byte()
        if kind == BYTE:
            return self._byte()
        if BYTE < kind <= I64:
            return self._signed()
        if kind in (DOUBLE, UUID):
            return self._taken(8 if kind == DOUBLE else 16)
        if kind == BINARY:
            return self._taken(self._unsigned())
        if kind in (LIST, SET):
            return self._list(depth)
        if kind == STRUCT:
            return self.struct(depth + 1)
        raise Malformed("an unknown type")  # a map too: Parquet has none

    def _list(self, depth: int) -> tuple[int, list[Any]]:
        if depth > DEEPEST:
            raise Malformed("too deep")
        head = self._byte()
        length = self._unsigned() if head >> 4 == 15 else head >> 4
        if length > len(self.data) - self.at:
            raise Malformed("cut short")
        return head & 15, [self._value(head & 15, depth + 1) for _ in range(length)]


def written(fields: Struct) -> bytes:
    """The struct as bytes again."""
    out, before = bytearray(), 0
    for number, kind, value in fields:
        if 0 < number - before < 16:
            out.append((number - before) << 4 | kind)
        else:
            out.append(kind)
            out += _unsigned(_folded(number))
        before = number
        out += b"" if kind in (TRUE, FALSE) else _bytes(kind, value)
    out.append(0)
    return bytes(out)


def _bytes(kind: int, value: Any) -> bytes:
    if kind in (TRUE, FALSE, BYTE):
        return bytes([value])
    if BYTE < kind <= I64:
        return _unsigned(_folded(value))
    if kind in (DOUBLE, UUID):
        return bytes(value)
    if kind == BINARY:
        return _unsigned(len(value)) + bytes(value)
    if kind == STRUCT:
        return written(value)
    of, elements = value
    head = bytes([len(elements) << 4 | of]) if len(elements) < 15 else bytes([0xF0 | of]) + _unsigned(len(elements))
    return head + b"".join(_bytes(of, each) for each in elements)


def _folded(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1


def _unsigned(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
