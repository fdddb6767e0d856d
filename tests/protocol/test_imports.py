"""Imports run one way, and the protocol touches no network, file, clock or log."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOTS = {"tpsi": "protocol", "tpsi_client": "client", "tpsi_server": "server", "tpsi_proto": "proto"}
ALLOWED = {
    "tpsi": {"tpsi"},
    "tpsi_client": {"tpsi", "tpsi_proto", "tpsi_client"},
    "tpsi_server": {"tpsi", "tpsi_proto", "tpsi_server"},
}
#: What `tpsi` may import besides itself: arithmetic and bytes.
STANDARD = frozenset(
    [
        "base64",
        "bisect",
        "collections",
        "contextlib",
        "dataclasses",
        "decimal",
        "enum",
        "functools",
        "hashlib",
        "hmac",
        "itertools",
        "json",
        "math",
        "operator",
        "re",
        "secrets",
        "struct",
        "typing",
        "warnings",
        "zlib",
    ]
)
LIBRARIES = frozenset({"Crypto", "cryptography", "flint", "numpy", "rbcl"})
#: The one exception: libsodium's binding unpacks a library file and leaves it; `sodium.py` removes it.
UNPACKING = {"ctypes", "os", "tempfile"}


def imported(path: Path) -> set[str]:
    """The top-level names that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def files(package: str) -> list[Path]:
    """The source files of a package."""
    return sorted((ROOT / ROOTS[package] / package).rglob("*.py"))


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_packages_import_only_what_stands_below_them(package: str) -> None:
    assert files(package)
    for path in files(package):
        assert imported(path) & set(ROOTS) <= ALLOWED[package], path


def test_the_protocol_is_arithmetic_and_bytes() -> None:
    for path in files("tpsi"):
        extra = UNPACKING if path.name == "sodium.py" else set()
        assert imported(path) - {"tpsi"} <= STANDARD | LIBRARIES | extra, path


def test_the_protocol_opens_no_file_and_prints_nothing() -> None:
    for path in files("tpsi"):
        called = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & {"open", "print", "input", "exec", "eval"}, path


def test_the_list_of_standard_modules_names_real_ones() -> None:
    assert sys.stdlib_module_names >= STANDARD
