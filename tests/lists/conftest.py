"""What the tests of hash lists share: digests, a file from text or bytes, and its records."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tpsi_server.lists import Record, open_list

Write = Callable[..., Path]
Read = Callable[..., list[Record]]


def digest(label: str, data: bytes = b"one") -> str:
    """A digest in hexadecimal digits."""
    return hashlib.new(label, data).hexdigest()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write text (UTF-8) or bytes to a new file."""

    def write_file(content: str | bytes, name: str = "list.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def read(write: Write) -> Read:
    """The records of a list with the given content."""

    def read_list(content: str | bytes, **options: Any) -> list[Record]:
        with open_list(write(content), **options) as reader:
            return list(reader)

    return read_list
