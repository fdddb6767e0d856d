"""Every decoder that takes octets from outside meets changed inputs: it refuses them by its own errors, soon.

Here each gets a hundred thousand, fewer only where one decoding is expensive in itself (`weight` of its target);
`python -m tests.fuzz` gives each as many as are asked for.
"""

import re
import ssl
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.__main__ import all_targets, bounded_memory
from tests.fuzz.harness import FuzzError, Target, case, fuzz
from tests.fuzz.mutation import Draws, mutated
from tests.fuzz.structure import is_document, restructured
from tests.support.client_certificates import self_signed
from tpsi import DecodeError
from tpsi_client.endpoint import Endpoint
from tpsi_server.tls import TlsError, load_certificate

CASES = 100_000
NAMES = (
    # of the protocol
    "manifest", "signed-manifest", "canonical", "voucher-header", "voucher", "voucher-at-ingest", "slots",
    "share-payload", "table-cells-fuse", "table-cells-cuckoo", "table-cells-p256-fuse", "table-cells-p256-cuckoo",
    "item-hash", "item-hash-text", "photograph", "field", "measurements", "checkpoint", "fork", "log-entry", "notice",
    "frontier", "absence-proof", "table-proof", "published-negatives", "list-signature", "detached-signature",
    # files of the server, the auditor and the device
    "list-hex", "list-csv", "list-threatexchange", "list-ncmec", "list-vic", "list-companions", "names",
    "reveals-export", "key-file", "key-file-members", "server-settings", "certificate", "database-url", "enrolment",
    "device-configuration", "account-secret", "account-secret-guarded", "device-state", "picture",
    "container", "bundle",
    # what comes over the network
    "message-UploadBatch", "message-BatchAck", "message-ListAccountsResponse", "fields", "authorization",
    "peer-certificate", "refusal", "table-digests",
)  # fmt: skip


@pytest.fixture(scope="module")
def targets() -> Iterator[dict[str, Target]]:
    with all_targets() as every:
        yield {one.name: one for one in every}


def test_every_decoder_is_named(targets: dict[str, Target]) -> None:
    assert sorted(targets) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_decoder_raises_hangs_or_takes_memory(targets: dict[str, Target], name: str) -> None:
    cases = CASES // targets[name].weight
    with bounded_memory(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = fuzz(targets[name], cases)
    assert report.cases == cases
    assert report.refused > 0 or not targets[name].errors


SAMPLES = [b'{"a": 12, "b": "text"}', bytes(range(100))]


def test_cases_repeat_and_differ() -> None:
    target = Target("test", bytes, SAMPLES)
    cases = [case(target, 1, number) for number in range(500)]
    assert cases == [case(target, 1, number) for number in range(500)]
    assert cases != [case(target, 2, number) for number in range(500)]
    assert len(set(cases)) > 350


def test_changed_documents_stay_documents_and_differ() -> None:
    draws = Draws(1)
    changed = [restructured(draws, SAMPLES[0]) for _ in range(200)]
    assert all(is_document(one) for one in changed)
    assert len(set(changed)) > 80


def test_inputs_stay_small() -> None:
    draws = Draws(1)
    assert max(len(mutated(draws, draws.one_of(SAMPLES), SAMPLES)) for _ in range(20_000)) < 100_000


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


def test_a_stall_of_the_machine_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.harness.SLOW", 0.05)
    stalls = iter((0.06, 0.07))

    def stalling(_data: bytes) -> None:
        time.sleep(next(stalls, 0.0))

    assert fuzz(Target("stalls", stalling, []), 0).cases == 0
    assert fuzz(Target("stalls", stalling, SAMPLES[:1]), 20).cases == 20


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
