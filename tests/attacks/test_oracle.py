"""No answer to a device depends on whether anything matched.

The argument is in docs/decisions/008-times-of-answers.md: an acknowledgement is made of what ingest knows, and ingest
has no keys. It is tested so: a server that holds no key at all, and one that matches all that comes, give the same
answers, octet by octet, before and after matching. Times are measured by `python -m tests.attacks.oracle`.
"""

import ast
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.attacks.oracle import Plan, asked_server, compare, measure
from tests.support.server_data import PASSPHRASE, TestEpoch, copy_data_folder, make_data_folder, wait_for
from tests.support.serving import Client, serving
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import DataFolder, Role, Runtime, TlsOptions
from tpsi_server.tls import server_tls

SOURCES = Path(sys.modules["tpsi_server"].__file__ or "").parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    return make_data_folder(tmp_path_factory.mktemp("oracle") / "data")


@pytest.fixture(scope="module")
def epoch(folder: DataFolder) -> TestEpoch:
    return TestEpoch.read(folder)


@pytest.fixture
def servers(folder: DataFolder, tmp_path: Path) -> Iterator[list[tuple[Runtime, Client]]]:
    """One that holds no key, and one that matches."""
    tls = server_tls(TlsOptions(), tmp_path / "tls", "127.0.0.1", now=datetime.now(UTC))
    with ExitStack() as stack:
        made = []
        for name, passphrase in (("blind", None), ("matching", PASSPHRASE)):
            data = copy_data_folder(folder, tmp_path / name)
            runtime = stack.enter_context(Runtime(data, passphrase, workers=0))
            runtime.accounts.create("alice")
            token = runtime.accounts.issue(Role.DEVICE, "alice").token.reveal().decode()
            if passphrase is not None:
                runtime.start_matching()
            server = stack.enter_context(serving(runtime, tls))
            made.append((runtime, stack.enter_context(server.served.client(token))))
        yield made


def answers(client: Client, batches: list[list[bytes]]) -> list[bytes]:
    """The octets of all acknowledgements."""
    sent = (pb.UploadBatch(sequence=number, vouchers=vouchers) for number, vouchers in enumerate(batches))
    return [ack.SerializeToString() for ack in client.vouchers.Upload(sent)]


def test_a_server_that_cannot_match_and_one_that_does_answer_alike(
    servers: list[tuple[Runtime, Client]], epoch: TestEpoch
) -> None:
    """First, again while it is matched, again when it was matched and its payload is gone, and under a reused id."""
    listed, others = epoch.seal(range(8), seed="a"), epoch.seal([f"other {n}" for n in range(8)], seed="b")
    reused = [one[:17] + two[17:33] + one[33:] for one, two in zip(others, listed, strict=True)]
    told: list[list[bytes]] = []
    for runtime, client in servers:
        first = answers(client, [listed, others, *[[one] for one in listed + others]])
        if runtime._matching is not None:
            wait_for(lambda runtime=runtime: runtime.status().vouchers_waiting == 0)  # type: ignore[misc]
            wait_for(lambda runtime=runtime: runtime.status().accounts_revealed == 1)  # type: ignore[misc]
        told.append(first + answers(client, [listed, others, reused, [others[0][:-1]], listed]))
    assert told[0] == told[1]
    for acks in told:
        assert acks[0] == acks[1].replace(b"\x08\x01", b"", 1), "listed and other ones alike, but for their number"


def test_what_answers_a_device_has_no_way_to_a_key() -> None:
    """The modules of the RPC path to devices import nothing that matches, examines or opens a key file."""
    path = ("ingest", "fair_queue", "reasons", "store/vouchers", "store/quotas", "service/vouchers", "service/overload")
    forbidden = ("tpsi.matching", "tpsi.reveal", "tpsi_server.keys", "tpsi_server.keyfile", "tpsi_server.jobs")
    for name in path:
        tree = ast.parse((SOURCES / f"{name}.py").read_text())
        modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names = {
            alias.name
            for n in ast.walk(tree)
            if isinstance(n, ast.ImportFrom) and n.module == "tpsi"
            for alias in n.names
        }
        assert not [m for m in modules if m.startswith(forbidden)], name
        assert names.isdisjoint({"match", "examine", "TableSecrets", "Opened"}), name


def test_an_answer_leaves_no_sooner_than_it_is_held_back(tmp_path: Path) -> None:
    """What the store does besides shows in no answer that it delays by less than that."""
    with asked_server(tmp_path, "--answer-after", "0.2") as (client, epoch):
        times = measure(client, epoch, Plan(rounds=2, batch=3, row=2, rest=0.0))
    for kind in (True, False):
        assert len(times.own[kind]) == len(times.after[kind]) == 2
        assert min(times.own[kind]) >= 0.2
        assert min(times.after[kind]) >= 2 * 0.2


def test_the_measurement_finds_a_difference_that_is_there_and_none_that_is_not() -> None:
    rng = np.random.default_rng(1)
    base = list(rng.lognormal(-6.0, 0.3, 1000))
    same = list(rng.lognormal(-6.0, 0.3, 1000))
    assert not compare(base, same).found
    finding = compare([value + 2e-4 for value in base], same)  # a fifth of what rounds differ by anyway
    assert finding.found
    assert finding.difference == pytest.approx(2e-4, rel=0.6)
    assert 1e-5 < finding.smallest < 2e-4


def test_the_smallest_difference_is_found_as_often_as_is_said() -> None:
    rng = np.random.default_rng(2)
    smallest = compare(list(rng.normal(1, 0.1, 300)), list(rng.normal(1, 0.1, 300))).smallest
    found = [
        compare(list(rng.normal(1 + smallest, 0.1, 300)), list(rng.normal(1, 0.1, 300)), seed).found
        for seed in range(20)
    ]
    assert sum(found) >= 10
