"""The transcripts of the specification: the library makes them, and an independent verifier accepts nothing else."""

import hashlib
import json
import random
import re
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from tests.support.backends import BACKENDS
from tests.vectors import generate
from tests.vectors.mutations import changed, leaves, mutated, sample, shape, with_member, without
from tests.vectors.replay import Epoch, sealed_again
from tests.verifier import __main__ as command
from tests.verifier import edwards, items, p256, table
from tests.verifier.elements import GROUPS
from tests.verifier.transcript import WrongValueError
from tests.verifier.verify import verify
from tpsi.groups import P256_SHA256, RISTRETTO255_SHA512
from tpsi.table import geometry, lay_out

VECTORS = Path(generate.__file__).parent
NAMES = sorted(generate.FILES)


def read(name: str) -> Any:
    """A file of the vectors."""
    return json.loads((VECTORS / name).read_text("ascii"))


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """The name of each transcript."""
    return str(request.param)


@pytest.mark.parametrize("file", [*NAMES, generate.MANIFESTS])
def test_the_committed_files_are_what_the_generator_makes(file: str) -> None:
    assert generate.contents(file) == (VECTORS / file).read_text("ascii"), "run python -m tests.vectors.generate"


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_library_makes_tables_and_vouchers_from_the_recorded_values(
    name: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TPSI_BACKEND", backend)
    transcript = read(name)
    epochs = [Epoch(transcript, record) for record in transcript["epochs"]]
    for epoch in epochs:
        assert epoch.built_cells() == epoch.record["table"]["cells"]
        assert epoch.manifest.digest.hex() == epoch.record["digest"]
    kinds = set()
    for record, kind, octets, matched in sealed_again(transcript, epochs):
        kinds.add(kind.value)
        assert (kind.value, octets.hex()) == (record["kind"], record["octets"])
        recorded = record["match"] and {
            "share": record["match"]["share"],
            "adct": record["associated_data"]["adct"],
        }
        assert matched == recorded
    assert kinds == {"real", "synthetic", "null"}


def test_the_verifier_accepts_every_step(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(VECTORS / name)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.endswith(": ok") for line in lines)
    steps = {line.partition(":")[0] for line in lines}
    assert steps == {
        "elements", "sizes", "list", "blinded items", "table", "manifest", "keys", "vouchers", "detection",
        "deliveries", "detections", "acceptance",
    }  # fmt: skip


def test_the_transcripts_show_what_the_format_promises(name: str) -> None:
    transcript = read(name)
    vouchers = [v for a in transcript["accounts"] for b in a["batches"] for i in b["items"] for v in i["vouchers"]]
    slots = [slot for voucher in vouchers for slot in voucher["slots"]]
    assert {slot["content"] for slot in slots} == {"real", "synthetic", "random"}
    assert sum(slot["content"] == "random" and slot["probe"] is not None for slot in slots) >= 3  # bad candidates
    results = {pool["detection"]["result"] for account in transcript["accounts"] for pool in account["pools"]}
    assert results == {"below", "undecided", "revealed"}
    assert {case["result"] for case in transcript["deliveries"]} == {"malformed", "no match", "opened"}
    refusals = {case["refused_by_check"] for case in transcript["acceptance"]}
    assert refusals == {None, 2, 3, 4, 5, 6, 7}


def test_library_and_verifier_decode_the_same_manifests(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(VECTORS / generate.MANIFESTS)]) == 0
    assert re.fullmatch(r"manifests: \d\d cases: ok\n", capsys.readouterr().out)
    transcript, choice = read(generate.MANIFESTS), random.Random(5)
    for i in range(len(transcript["cases"])):
        with pytest.raises(WrongValueError, match=rf"^cases\[{i}\]\.digest: recorded"):
            list(verify(mutated(transcript, ("cases", i, "digest"), choice)))


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_every_changed_value_is_found_where_it_stands(number: int) -> None:
    """Each transcript is changed at one value of every fourth kind, so that together they show every kind."""
    transcript, choice = read(NAMES[number]), random.Random(number)
    paths = [path for path in sample(transcript, choice) if crc32(shape(path).encode()) % len(NAMES) == number]
    for path in paths:
        with pytest.raises(WrongValueError) as caught:
            list(verify(mutated(transcript, path, choice)))
        section = path[0] if len(path) == 1 or isinstance(path[1], str) else f"{path[0]}[{path[1]}]"
        assert re.fullmatch(rf"{re.escape(str(section))}(\W.*)?", caught.value.path), path


def test_a_member_more_or_less_is_found() -> None:
    transcript, choice = read(NAMES[0]), random.Random(7)
    paths = [path for path in leaves(transcript) if isinstance(path[-1], str)]
    for path in choice.sample(paths, 6):
        with pytest.raises(WrongValueError):
            list(verify(with_member(transcript, path[:-1])))
        with pytest.raises(WrongValueError):
            list(verify(without(transcript, path)))


def test_the_command_names_the_first_wrong_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    transcript = read(NAMES[0])
    transcript["epochs"][0]["table"]["cells"][5] = changed(transcript["epochs"][0]["key"], random.Random(1))
    (tmp_path / "edited.json").write_text(json.dumps(transcript))
    assert command.main([str(tmp_path / "edited.json")]) == 1
    assert "epochs[0].table.cells[5]: recorded" in capsys.readouterr().err
    assert command.main([str(tmp_path / "missing.json")]) == 2
    assert command.main([]) == 2


def test_the_verifiers_p256_is_that_of_the_rfc() -> None:
    vectors, chosen = read("rfc9380_p256.json"), GROUPS[P256_SHA256]
    for vector in vectors["vectors"]:
        point = int(vector["P"]["x"], 16), int(vector["P"]["y"], 16), 1
        assert chosen.hash(vector["msg"].encode(), vectors["dst"].encode()) == p256.encode_point(point)
    assert chosen.multiply(chosen.order - 1, chosen.generator) == chosen.negate(chosen.generator)


def test_the_verifiers_ristretto255_is_that_of_the_rfc() -> None:
    vectors, chosen = read("rfc9496_ristretto255.json"), GROUPS[RISTRETTO255_SHA512]
    assert [chosen.multiply(k, chosen.generator).hex() for k in range(16)] == vectors["multiples"]
    for group_of in vectors["invalid"]:
        assert not any(chosen.is_canonical(bytes.fromhex(encoding)) for encoding in group_of["encodings"])
    assert edwards.multiply_point(chosen.order, edwards.generator())[0] == 0


@pytest.mark.parametrize("encoding", ["fuse", "cuckoo"])
def test_both_place_thousands_of_items_alike(encoding: str) -> None:
    digests = [hashlib.sha256(i.to_bytes(4, "big")).digest() for i in range(3000)]
    listed = sorted(items.Item(b"\x06sha256\x20" + digest, "sha256") for digest in digests)
    for seed in (digests[0], digests[1]):
        layout = lay_out(encoding, [item.y for item in listed], seed)
        placed = table.place(table.geometry(encoding, len(listed)), seed, listed)
        assert (layout is None) == (placed is None)
        if layout is None or placed is None:
            continue
        assert placed.edges == layout.positions.tolist()
        assert [[e for e, _ in r] for r in placed.rounds] == [sorted(r.tolist()) for r in layout.peeling.rounds]
        pairs = [pair for r in placed.rounds for pair in r] + [(e, c) for cycle in placed.cycles for c, e in cycle]
        assert [cell for _, cell in sorted(pairs)] == layout.assigned.tolist()


@pytest.mark.parametrize("encoding", ["fuse", "cuckoo"])
def test_both_give_tables_the_same_size(encoding: str) -> None:
    choice = random.Random(encoding)
    counts = [*range(60), *(int(x) for x in np.logspace(2, 9.3, 60)), *(choice.randrange(2**31) for _ in range(60))]
    for count in counts:
        assert geometry(encoding, count).cells == table.geometry(encoding, count).cells, count
