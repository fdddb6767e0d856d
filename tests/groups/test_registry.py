"""The ciphersuites by name."""

import subprocess
import sys

import pytest

from tpsi.errors import CallerError
from tpsi.groups import P256_SHA256, RISTRETTO255_SHA512, SUITES, group


def test_suites_have_the_parameters_of_the_specification() -> None:
    ristretto255, p256 = group(RISTRETTO255_SHA512), group(P256_SHA256)
    assert (ristretto255.element_size, ristretto255.scalar_size, ristretto255.wide_size) == (32, 32, 64)
    assert (p256.element_size, p256.scalar_size, p256.wide_size) == (33, 32, 48)
    assert ristretto255.encode_scalars([1])[0].tobytes() == b"\1" + bytes(31)
    assert p256.encode_scalars([1])[0].tobytes() == bytes(31) + b"\1"
    assert [group(suite).suite for suite in SUITES] == list(SUITES)
    assert SUITES[0] == "TPSI-RISTRETTO255-SHA512"


def test_one_object_a_suite() -> None:
    assert group(P256_SHA256) is group(P256_SHA256)


@pytest.mark.parametrize("name", ["", "tpsi-p256-sha256", "TPSI-P256-SHA256 ", "P256-SHA256", "TPSI-P384-SHA384"])
def test_unknown_suites_are_refused(name: str) -> None:
    with pytest.raises(CallerError, match="TPSI-RISTRETTO255-SHA512"):
        group(name)


def test_a_suite_does_not_load_the_other_ones_library() -> None:
    program = (
        "import sys; from tpsi.groups import group; group('TPSI-P256-SHA256'); print('rbcl' in sys.modules);"
        "group('TPSI-RISTRETTO255-SHA512', 'library'); print('rbcl' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True"]
