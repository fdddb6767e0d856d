"""A look at a protocol buffer before it is parsed: one of a million empty fields takes a hundred times its size."""

#: Below this size no message takes much, whatever it is made of.
SMALL = 1 << 16
_VARINT, _FIXED64, _OCTETS, _GROUP, _END_GROUP, _FIXED32 = range(6)
_LONGEST_VARINT = 10


def has_more_fields(data: bytes, limit: int) -> bool:
    """Whether a message has more than `limit` fields, those within fields not counted; never so for small ones.

    What cannot be read as far as that has not: the parser refuses it. Takes at most `limit` steps.
    """
    if len(data) <= SMALL:
        return False
    position, end = 0, len(data)
    for _ in range(limit):
        tag, position = _varint(data, position)
        kind = tag & 7
        if kind == _OCTETS:
            length, position = _varint(data, position)
            position += length
        elif kind == _VARINT:
            _, position = _varint(data, position)
        elif kind in (_FIXED64, _FIXED32):
            position += 8 if kind == _FIXED64 else 4
        elif kind not in (_GROUP, _END_GROUP):
            return False
        if position >= end:
            return False
    return True


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number, and where the next thing begins: beyond the end, if the number is cut off or too long."""
    value = 0
    for shift in range(_LONGEST_VARINT):
        if position >= len(data):
            break
        octet = data[position]
        position += 1
        value |= (octet & 127) << (7 * shift)
        if octet < 128:
            return value, position
    return 0, len(data) + 1
