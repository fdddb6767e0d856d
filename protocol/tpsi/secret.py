"""A holder for secret octets that does not show them (it cannot erase them: Python gives no such promise)."""

import hmac
from typing import Any, NoReturn


class Secret:
    """Secret octets. `repr`, `str`, `format` and pickling don't show them; `==` compares in constant time.

    `reveal()` is the one way to the value, so that a search for it finds every use.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """The octets themselves."""
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Secret of {len(self._value)} octets>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Secret is not pickled")
