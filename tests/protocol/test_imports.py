"""Imports run one way, and the protocol touches no network, file, clock or log."""

import ast
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOTS = {
    "tpsi": "protocol",
    "tpsi_audit": "client",
    "tpsi_client": "client",
    "tpsi_server": "server",
    "tpsi_plan": "planner",
    "tpsi_proto": "proto",
}
ALLOWED = {
    "tpsi": {"tpsi"},
    "tpsi_audit": {"tpsi", "tpsi_proto", "tpsi_client", "tpsi_audit"},
    "tpsi_client": {"tpsi", "tpsi_proto", "tpsi_client"},
    "tpsi_server": {"tpsi", "tpsi_proto", "tpsi_server"},
    "tpsi_plan": {"tpsi", "tpsi_plan"},
}
#: What `tpsi` may import besides itself: arithmetic and bytes.
STANDARD = frozenset(
    [
        "abc",
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
#: A folder of `tpsi` that reads pictures, for device and list side alike. The protocol does without it.
PICTURES = ROOT / "protocol" / "tpsi" / "pictures"
#: The only places that load Pillow when they are loaded, each of them when it is first needed.
NEED_PILLOW = {"decode.py"}
#: The exceptions. libsodium's binding unpacks a library file and leaves it; `sodium.py` removes it. The choice of what
#: computes is in an environment variable, and the native core is not a dependency: three files know of it.
EXTRA = {
    "sodium.py": {"ctypes", "os", "tempfile"},
    "backends.py": {"os", "tpsi_native"},
    "bulk.py": {"tpsi_native"},
    "native.py": {"tpsi_native"},
}


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


def protocol() -> list[Path]:
    """The source files of the protocol itself."""
    return [path for path in files("tpsi") if not path.is_relative_to(PICTURES)]


def modules(tree: ast.AST) -> set[str]:
    """The modules that code imports, in full."""
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}


def test_the_protocol_is_arithmetic_and_bytes() -> None:
    for path in protocol():
        assert imported(path) - {"tpsi"} <= STANDARD | LIBRARIES | EXTRA.get(path.name, set()), path


def test_the_protocol_opens_no_file_and_prints_nothing() -> None:
    for path in protocol():
        called = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & {"open", "print", "input", "exec", "eval"}, path


def test_the_protocol_reads_no_pictures() -> None:
    for path in protocol():
        assert not {name for name in modules(ast.parse(path.read_text("utf-8"))) if name.startswith("tpsi.pictures")}


def test_device_and_server_work_without_pillow_until_a_picture_is_decoded(tmp_path: Path) -> None:
    picture = tmp_path / "photo.jpg"
    picture.write_bytes(b"\xff\xd8 something")
    code = f"""
import sys
sys.modules["PIL"] = None  # as if it were not installed
import tpsi_client, tpsi_server.cli
from tpsi.pictures import ExtraMissingError, Picture, hasher
picture = Picture.read({str(picture)!r})
print(hasher("md5").hash(picture).digest.hex())
try:
    hasher("dct80").hash(picture)
except ExtraMissingError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    digest, message = run.stdout.splitlines()
    assert digest == hashlib.md5(picture.read_bytes(), usedforsecurity=False).hexdigest()
    assert "pip install 'tpsi[pictures]'" in message


def test_only_decoding_loads_pillow() -> None:
    for path in PICTURES.glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        top = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
        loads = any(name.partition(".")[0] == "PIL" for name in modules(top))
        assert loads == (path.name in NEED_PILLOW), path


def test_the_list_of_standard_modules_names_real_ones() -> None:
    assert sys.stdlib_module_names >= STANDARD
