"""Every decoder that takes octets from outside meets changed inputs: it refuses them by its own errors, soon.

Here each gets some thousands (slow ones fewer); `python -m tests.fuzz` gives each a hundred thousand, or as many as are
asked for.
"""

import random
import re
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fuzz.harness import FuzzError, Target, case, fuzz
from tests.fuzz.mutation import mutated
from tests.support.client_certificates import self_signed
from tpsi import DecodeError
from tpsi_client.endpoint import Endpoint
from tpsi_server.tls import TlsError, load_certificate

ROOT = Path(__file__).resolve().parents[2]
CASES = 2500


def test_no_decoder_raises_hangs_or_takes_memory() -> None:
    """In a process of its own, whose memory is bounded."""
    command = [sys.executable, "-m", "tests.fuzz", "--cases", str(CASES), "--weighted"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^(\S+) +(\d+) +(\d+) ", done.stdout, re.MULTILINE)
    assert len(rows) >= 45
    for name, cases, refused in rows:
        assert int(cases) >= 1, name
        assert int(refused) <= int(cases)
    assert sum(int(cases) for _, cases, _ in rows) > 20 * CASES


SAMPLES = [b'{"a": 12, "b": "text"}', bytes(range(100))]


def test_cases_repeat_and_differ() -> None:
    target = Target("test", bytes, SAMPLES)
    cases = [case(target, 1, number) for number in range(500)]
    assert cases == [case(target, 1, number) for number in range(500)]
    assert cases != [case(target, 2, number) for number in range(500)]
    assert len(set(cases)) > 400


def test_inputs_stay_small() -> None:
    rng = random.Random(1)
    assert max(len(mutated(rng, SAMPLES)) for _ in range(20_000)) < 100_000


@pytest.mark.parametrize("error", [ZeroDivisionError, AssertionError, RecursionError, MemoryError, KeyboardInterrupt])
def test_an_error_that_is_not_its_own_is_a_failure_that_can_be_repeated(error: type[BaseException]) -> None:
    def decode(data: bytes) -> None:
        if data not in SAMPLES and len(data) % 7 == 0:
            raise error

    with pytest.raises(FuzzError, match=r"python -m tests.fuzz --target bad --seed 5 --only \d+") as told:
        fuzz(Target("bad", decode, SAMPLES), 500, 5)
    number = int(re.findall(r"--only (\d+)", str(told.value))[0])
    assert len(case(Target("bad", decode, SAMPLES), 5, number)) % 7 == 0


def test_a_decoder_that_is_slow_or_hangs_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.harness.SLOW", 0.05)
    monkeypatch.setattr("tests.fuzz.harness.HANG", 0.3)

    def slow(data: bytes) -> None:
        if data not in SAMPLES:
            time.sleep(0.1)

    def hangs(data: bytes) -> None:
        while data not in SAMPLES:
            pass

    with pytest.raises(FuzzError, match=r"takes 0\.1 s"):
        fuzz(Target("slow", slow, SAMPLES), 5)
    with pytest.raises(FuzzError, match=r"hangs for more than 0\.3 s"):
        fuzz(Target("hangs", hangs, SAMPLES), 5)


def test_a_good_input_has_to_be_taken() -> None:
    def refuse(_data: bytes) -> None:
        raise ValueError("never")

    with pytest.raises(ValueError, match="never"):
        fuzz(Target("refuses", refuse, SAMPLES, (ValueError,)), 5)


def test_a_certificate_of_an_impossible_version_is_refused(tmp_path: Path) -> None:
    """Found by the above: the library has an error of its own for it, which is no ValueError."""
    der = ssl.PEM_cert_to_DER_cert(self_signed().certificate.decode())
    assert b"\xa0\x03\x02\x01\x02" in der
    pem = ssl.DER_cert_to_PEM_cert(der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x21", 1))
    path = tmp_path / "certificate.pem"
    path.write_text(pem)
    with pytest.raises(TlsError, match="not a certificate in PEM form"):
        load_certificate(path)
    with pytest.raises(DecodeError, match="not a PEM certificate"):
        Endpoint.parse("localhost:1", pem, "token")
