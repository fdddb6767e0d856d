"""Reading the members of a JSON object from a file, with messages that name the member."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tpsi.errors import DecodeError


class Members:
    """The members of one JSON object; every way of reading one raises DecodeError if it is not as asked for."""

    def __init__(self, value: Mapping[str, Any], what: str) -> None:
        self._value, self._what = value, what

    @classmethod
    def parse(cls, data: bytes, what: str) -> "Members":
        """The object that UTF-8 JSON text holds; `what` names the text in messages."""
        try:
            value = json.loads(data.decode("utf-8"))
        except (ValueError, RecursionError):
            raise DecodeError(f"{what} is not JSON") from None
        if not isinstance(value, dict):
            raise DecodeError(f"{what} is not a JSON object")
        return cls(value, what)

    def has(self, name: str) -> bool:
        """Whether there is a member of this name that is not null."""
        return self._value.get(name) is not None

    def text(self, name: str, limit: int) -> str:
        """A string of 1 to `limit` characters."""
        value = self._value.get(name)
        if not isinstance(value, str) or not 1 <= len(value) <= limit:
            raise DecodeError(f'in {self._what}, "{name}" has to be a text of 1 to {limit} characters')
        return value

    def octets(self, name: str, size: int) -> bytes:
        """`size` octets, written in hexadecimal."""
        return self._hex(self.text(name, 2 * size), name, size)

    def octet_strings(self, name: str, size: int, limit: int) -> tuple[bytes, ...]:
        """A list of at most `limit` hexadecimal strings of `size` octets each."""
        value = self._value.get(name)
        if not isinstance(value, list) or len(value) > limit:
            raise DecodeError(f'in {self._what}, "{name}" has to be a list of at most {limit} texts')
        return tuple(self._hex(text, name, size) for text in value)

    def integer(self, name: str, least: int, most: int) -> int:
        """An integer within bounds."""
        value = self._value.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise DecodeError(f'in {self._what}, "{name}" has to be a number from {least} to {most}')
        return value

    def words(self, name: str, known: Sequence[str]) -> tuple[str, ...]:
        """A list of words, at least one, all of them known ones."""
        value = self._value.get(name)
        if not isinstance(value, list) or not value or any(word not in known for word in value):
            raise DecodeError(f'in {self._what}, "{name}" has to be a list of {", ".join(known)}')
        return tuple(dict.fromkeys(value))

    def truth(self, name: str) -> bool:
        """True or false."""
        value = self._value.get(name)
        if not isinstance(value, bool):
            raise DecodeError(f'in {self._what}, "{name}" has to be true or false')
        return value

    def _hex(self, text: object, name: str, size: int) -> bytes:
        try:
            octets = bytes.fromhex(text) if isinstance(text, str) else b""
        except ValueError:
            octets = b""
        if len(octets) != size:
            raise DecodeError(f'in {self._what}, "{name}" has to be {size} octets in hexadecimal')
        return octets
