"""Reading fixed binary layouts: a cursor over octets from outside, which fails with one kind of error."""

from tpsi.errors import DecodeError


class Reader:
    """Takes big-endian integers and octet strings off the front of `data`; DecodeError if too few are left."""

    __slots__ = ("_data", "_position", "_what")

    def __init__(self, data: bytes, what: str) -> None:
        self._data, self._position, self._what = data, 0, what

    def take(self, size: int) -> bytes:
        """The next `size` octets."""
        end = self._position + size
        if end > len(self._data):
            raise DecodeError(f"{self._what} ends after {len(self._data)} octets, at least {end} are needed")
        piece = self._data[self._position : end]
        self._position = end
        return piece

    def integer(self, size: int) -> int:
        """The next big-endian integer of `size` octets."""
        return int.from_bytes(self.take(size), "big")

    def finish(self) -> None:
        """DecodeError if anything is left."""
        left = len(self._data) - self._position
        if left:
            raise DecodeError(f"{self._what} is followed by {left} octets that do not belong to it")
