"""What devices demand, and the library's agreement with every acceptance case."""

from collections.abc import Callable

from tests.vectors.making.manifests import (
    accepted,
    bad_chains,
    bad_files,
    bad_parameters,
    bad_signatures,
)
from tests.vectors.making.signing import Case, Signing
from tests.vectors.making.stage import Record, Stage, file_root
from tpsi import SUITES, DecodeError, Pins, Seen, SignedManifest, SyntheticMode, VerificationError
from tpsi.trust import check_chain, check_key, check_parameters


def policies(stage: Stage) -> list[Pins]:
    """A strict device, a lax one, one that knows only the other suite, one with an auditor, the same without him."""
    server, auditor = stage.server.public, stage.auditor.public
    with_add = SyntheticMode.REPLACE, SyntheticMode.ADD
    other = tuple(suite for suite in SUITES if suite != stage.group.suite)
    return [
        Pins(stage.list_id, server, 1, 300_000, suites=(stage.group.suite,)),
        Pins(stage.list_id, server, 1, 0, tuple(SyntheticMode), trusts_separation=True),
        Pins(stage.list_id, server, 1, 300_000, suites=other),
        Pins(stage.list_id, server, 1, 300_000, with_add, (auditor,)),
        Pins(stage.list_id, server, 1, 300_000, with_add),
    ]


def policy_record(pins: Pins) -> Record:
    """What a device has pinned."""
    return {
        "server_key": pins.server_key.hex(),
        "auditor_keys": [key.hex() for key in pins.auditor_keys],
        "suites": list(pins.suites),
        "minimum_threshold": pins.lowest_threshold,
        "modes": [mode.value for mode in pins.modes],
        "trusts_separation": pins.trusts_separation,
        "minimum_per_million": pins.least_synthetic,
        "list": pins.list_id.hex(),
    }


def refusing_checks(case: Case, pins: Pins, content: bytes) -> set[int]:
    """The checks that the library may have refused by; none if it accepts. Its decoder does 1 and 4."""
    try:
        envelope = SignedManifest.decode(case.envelope.encode())
    except DecodeError:
        return {1, 4}
    manifest = envelope.manifest
    steps: list[tuple[int, Callable[[], object]]] = [
        (2, lambda: envelope.verify(pins.server_key, pins.auditor_keys)),
        (3, lambda: check_key(manifest, pins)),
        (5, lambda: check_parameters(manifest, pins)),
        (6, lambda: follow(case, envelope, pins)),
    ]
    for number, step in steps:
        try:
            step()
        except (VerificationError, DecodeError):
            return {number}
    sound = len(content) == manifest.table_bytes and file_root(content) == manifest.root
    return set() if sound else {7}


def follow(case: Case, envelope: SignedManifest, pins: Pins) -> None:
    """The chain from what the device has seen, through the epochs that it has skipped."""
    newest = case.seen
    for text in case.between:
        passed = SignedManifest.decode(text.encode()).verify(pins.server_key, pins.auditor_keys)
        check_chain(passed, pins, newest)
        newest = Seen(passed.epoch, passed.digest)
    check_chain(envelope.manifest, pins, newest)


def acceptance(stage: Stage) -> list[Record]:
    """All cases but those of check 1; the library must agree with every one."""
    sign = Signing(stage)
    cases = [
        *accepted(stage),
        *bad_signatures(stage, sign),
        *bad_parameters(stage, sign),
        *bad_chains(stage, sign),
        *bad_files(stage),
    ]
    return [case_record(stage, case) for case in cases]


def case_record(stage: Stage, case: Case) -> Record:
    """A case, after the library has agreed."""
    content = stage.epochs[case.epoch].content if case.content is None else case.content
    found = refusing_checks(case, policies(stage)[case.policy], content)
    if (case.refused_by_check not in found) if found else case.refused_by_check is not None:
        raise LookupError(f"{case.name}: the library refuses by {found or 'nothing'}")
    return {
        "name": case.name,
        "envelope": case.envelope,
        "policy": case.policy,
        "epoch": case.epoch,
        "seen": case.seen and {"epoch": case.seen.epoch, "digest": case.seen.digest.hex()},
        "between": list(case.between),
        "content": None if case.content is None else case.content.hex(),
        "refused_by_check": case.refused_by_check,
    }
