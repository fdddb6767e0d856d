"""Reading a transcript: every value knows its place, is compared or used, and none may stay unread."""

from collections.abc import Iterator
from typing import Any


class WrongValueError(Exception):
    """A recorded value that is not what the specification gives; `path` says where it stands."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def to_json(value: Any) -> Any:
    """What a computed value looks like in a transcript: octets as hex, tuples as lists."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: to_json(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(entry) for entry in value]
    return value


class Node:
    """A value of the transcript with its path. Its readers mark it as read."""

    def __init__(self, value: Any, path: str, read: set[str]) -> None:
        self.value = value
        self.path = path
        self._read = read

    def __getitem__(self, key: str | int) -> "Node":
        if isinstance(key, str):
            if not isinstance(self.value, dict) or key not in self.value:
                raise WrongValueError(self.path, f"has no member {key}")
            return Node(self.value[key], f"{self.path}.{key}".lstrip("."), self._read)
        if not isinstance(self.value, list) or not 0 <= key < len(self.value):
            raise WrongValueError(self.path, f"has no entry {key}")
        return Node(self.value[key], f"{self.path}[{key}]", self._read)

    def __iter__(self) -> Iterator["Node"]:
        self._typed(list)
        return (self[i] for i in range(len(self.value)))

    def __len__(self) -> int:
        return len(self._typed(list))

    def _typed(self, kind: type) -> Any:
        if type(self.value) is not kind:
            raise WrongValueError(self.path, f"is not the {kind.__name__} that it should be")
        self._read.add(self.path)
        return self.value

    def is_null(self) -> bool:
        self._read.add(self.path)
        return self.value is None

    def text(self) -> str:
        return str(self._typed(str))

    def one_of(self, *choices: str) -> str:
        text = self.text()
        if text not in choices:
            raise WrongValueError(self.path, f"is not one of {', '.join(choices)}")
        return text

    def integer(self) -> int:
        return int(self._typed(int))

    def boolean(self) -> bool:
        return bool(self._typed(bool))

    def octets(self) -> bytes:
        """A hex value, in lower case."""
        text = self.text()
        try:
            value = bytes.fromhex(text)
        except ValueError:
            raise WrongValueError(self.path, "is not hex") from None
        if value.hex() != text:
            raise WrongValueError(self.path, "is not lower-case hex")
        return value

    def list_of_octets(self) -> list[bytes]:
        return [entry.octets() for entry in self]

    def expect(self, computed: Any) -> None:
        """Compare with a computed value; raise WrongValueError naming the first place that differs."""
        self._compare(to_json(computed))

    def _compare(self, computed: Any) -> None:
        self._read.add(self.path)
        if isinstance(computed, dict) and isinstance(self.value, dict):
            for key in sorted(computed.keys() | self.value.keys()):
                if key not in computed:
                    raise WrongValueError(f"{self.path}.{key}", "should not be there")
                self[key]._compare(computed[key])
        elif isinstance(computed, list) and isinstance(self.value, list):
            for i in range(max(len(computed), len(self.value))):
                if i >= len(computed) or i >= len(self.value):
                    raise WrongValueError(self.path, f"has {len(self.value)} entries, should have {len(computed)}")
                self[i]._compare(computed[i])
        elif type(computed) is not type(self.value) or computed != self.value:
            raise WrongValueError(self.path, f"recorded {shorten(self.value)}, computed {shorten(computed)}")

    def unread(self) -> Iterator[str]:
        """The paths of all leaves below this one that nothing has read."""
        if isinstance(self.value, dict) and self.value:
            for key in self.value:
                yield from self[key].unread()
        elif isinstance(self.value, list) and self.value:
            for entry in self:
                yield from entry.unread()
        elif self.path not in self._read:
            yield self.path


def shorten(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
