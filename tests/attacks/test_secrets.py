"""Nothing secret in what is logged, said, shown or measured: canaries are planted, everything is done, all searched."""

import json
import logging
import re
import sqlite3
import traceback
import urllib.request
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from tests.support.server_data import (
    NEWEST,
    PASSPHRASE,
    TestEpoch,
    copy_data_folder,
    make_data_folder,
    wait_for,
)
from tests.support.server_process import ServerProcess
from tests.support.serving import Client, raw_call
from tests.support.world import items_of, md5
from tpsi import Item, Photograph, Submission, match, seal
from tpsi_client.account_secret import AccountSecret
from tpsi_client.endpoint import Endpoint
from tpsi_client.errors import ServiceError
from tpsi_client.service import Service
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import DataFolder, Role, Runtime, Store, StoreError
from tpsi_server.accounts import Accounts
from tpsi_server.cli import main
from tpsi_server.doctor import examine_server
from tpsi_server.keys import KeyRing

CONTENT_KEY = b"the-content-key-of-one-original."
DERIVATIVE = b"THE-SMALL-PICTURE-THAT-NOBODY-SHOULD-SEE"
TOKEN_SECRET = re.compile(r"tpsi_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Canaries:
    """Secrets by name."""

    secrets: dict[str, bytes]

    def found_in(self, text: str) -> list[str]:
        """The names of those that a text shows in any of the usual spellings."""
        return [name for name, secret in self.secrets.items() if any(form in text for form in _forms(secret))]


def _forms(secret: bytes) -> Iterator[str]:
    part = secret[:24]  # as a part of something longer, too
    yield part.hex()
    yield part.hex().upper()
    yield repr(part)[2:-1]
    yield part.decode("latin-1")
    for encode in (b64encode, urlsafe_b64encode):
        for shift in range(3):  # base64 of something that has it inside
            yield encode(bytes(shift) + part)[4 : 4 + 24].decode()
    yield ", ".join(map(str, part[:8]))


def test_the_search_finds_a_canary_in_every_spelling() -> None:
    secret = bytes(range(60, 92))
    canaries = Canaries({"it": secret})
    for text in (secret.hex(), repr(secret), b64encode(b"x" + secret).decode(), str(list(secret)), repr([secret])):
        assert canaries.found_in(f"before {text} after") == ["it"], text
    assert canaries.found_in("nothing here") == []


@dataclass(frozen=True)
class Stage:
    """What the tests run on."""

    folder: DataFolder
    epoch: TestEpoch
    vouchers: list[bytes]
    tokens: dict[str, str]
    canaries: Canaries


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    return make_data_folder(tmp_path_factory.mktemp("secrets") / "data")


@pytest.fixture(scope="module")
def epoch(folder: DataFolder) -> TestEpoch:
    return TestEpoch.read(folder)


@pytest.fixture(scope="module")
def vouchers(epoch: TestEpoch) -> list[bytes]:
    """Of ten items with associated data, six of them listed."""
    data = Photograph(CONTENT_KEY, DERIVATIVE).encode()
    items = items_of([*range(6), "a", "b", "c", "d"], data)
    return [voucher.data for voucher in seal(epoch.device("alice"), items).vouchers]


@pytest.fixture(scope="module")
def tokens(folder: DataFolder) -> dict[str, str]:
    """A token of a device, of an operator and of one that will be revoked."""
    with Store.open(folder.database) as store:
        accounts = Accounts(store)
        accounts.create("alice")
        wanted = {"device": (Role.DEVICE, "alice"), "operator": (Role.OPERATOR, None), "old": (Role.DEVICE, "alice")}
        issued = {name: accounts.issue(*who) for name, who in wanted.items()}
        accounts.revoke_token(issued["old"].token_id)
    return {name: one.token.reveal().decode() for name, one in issued.items()}


@pytest.fixture(scope="module")
def canaries(folder: DataFolder, epoch: TestEpoch, vouchers: list[bytes], tokens: dict[str, str]) -> Canaries:
    """All that must not be seen."""
    keys = KeyRing(folder.keys, PASSPHRASE)
    table_secrets = keys.epoch(epoch.manifest)
    submissions = [Submission("alice", data) for data in vouchers]
    opened = [one for one in match(epoch.manifest, table_secrets, submissions) if one is not None]
    assert len(opened) == 6
    found = {
        "passphrase": PASSPHRASE.reveal(),
        "signing key": keys.signing_key().private_bytes_raw(),
        "alpha": table_secrets.alpha.reveal(),
        "fill key": table_secrets.fill_key.reveal(),
        "data key": keys.data_key(1).reveal(),
        "account secret": b"alice".ljust(32, b"\0"),
        "content key": CONTENT_KEY,
        "small picture": DERIVATIVE,
    }
    found |= {f"token {name}": token.encode() for name, token in tokens.items()}
    found |= {f"share {n}": one.share for n, one in enumerate(opened)}
    found |= {f"inner ciphertext {n}": one.adct for n, one in enumerate(opened)}
    found |= {f"payload {n}": data[40:] for n, data in enumerate(vouchers)}
    return Canaries(found)


@pytest.fixture(scope="module")
def stage(
    folder: DataFolder, epoch: TestEpoch, vouchers: list[bytes], tokens: dict[str, str], canaries: Canaries
) -> Stage:
    return Stage(folder, epoch, vouchers, tokens, canaries)


def _use(client: Client, vouchers: list[bytes], said: list[str]) -> None:
    """Everything that a device and an operator can do, right and wrong; what they are told is kept."""
    spoiled = [vouchers[0][:-1], vouchers[1][:60] + bytes(len(vouchers[1]) - 60), b"", vouchers[2][17:]]
    batches = [vouchers, vouchers, [*spoiled, *vouchers], [], [b"x" * 5_000_000]]
    for batch in batches:
        try:
            said += map(str, client.vouchers.Upload(iter([pb.UploadBatch(sequence=1, vouchers=batch)])))
        except grpc.RpcError as error:
            said += [str(error), repr(error), str(error.trailing_metadata())]
    for call, request in (
        (client.vouchers.WhoAmI, pb.WhoAmIRequest()),
        (client.tables.GetManifest, pb.GetManifestRequest(epoch=99)),
        (client.operator.GetStatus, pb.GetStatusRequest()),
        (client.operator.ListAccounts, pb.ListAccountsRequest()),
    ):
        try:
            said.append(str(call(request)))
        except grpc.RpcError as error:
            said += [str(error), str(error.trailing_metadata())]


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_output_of_a_server_shows_a_secret(stage: Stage, tmp_path: Path, form: str) -> None:
    """Logs at their longest, answers, metrics: of uploads, reveals, refusals and a store that fails."""
    vouchers, tokens, canaries = stage.vouchers, stage.tokens, stage.canaries
    data = copy_data_folder(stage.folder, tmp_path / "data")
    said: list[str] = []
    options = ("--verbose", "--log-format", form, "--workers", "1")
    with ServerProcess(data, *options) as process:
        served = process.served()
        for token in (*tokens.values(), "tpsi_" + "x" * 43, None):
            with served.client(token) as client:
                _use(client, vouchers, said)
        with Store.open(data.database) as store:
            wait_for(lambda: store.accounts.find("alice").revealed == 6)  # type: ignore[union-attr]
        _break_store(data)
        with served.client(tokens["device"]) as client:
            _use(client, vouchers, said)
        with served.channel() as channel, pytest.raises(grpc.RpcError):
            raw_call(
                channel, "/tpsi.v1.VoucherService/Upload", b"\xff", [("authorization", f"Bearer {tokens['device']}")]
            )
        status, output, errors = process.stop()
    assert status == 0
    assert "could not be stored" in errors, "the store was made to fail"
    for text in (output, errors, *said):
        assert canaries.found_in(text) == []
        assert not TOKEN_SECRET.search(text)


def _break_store(data: DataFolder) -> None:
    with sqlite3.connect(data.database, timeout=30) as connection:
        connection.execute("ALTER TABLE vouchers RENAME TO elsewhere")
    connection.close()


def test_metrics_show_no_secret(
    folder: DataFolder, vouchers: list[bytes], tokens: dict[str, str], canaries: Canaries, tmp_path: Path
) -> None:
    data = copy_data_folder(folder, tmp_path / "data")
    with ServerProcess(data, "--metrics-port", "0", "--workers", "0") as process:
        served = process.served()
        assert process.process.stdout is not None
        lines = "".join(process.process.stdout.readline() for _ in range(2))
        (url,) = re.findall(r"http://127\.0\.0\.1:\d+/metrics", lines)
        with served.client(tokens["device"]) as client:
            _use(client, vouchers, [])
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
            text = answer.read().decode()
        assert "tpsi_vouchers_total" in text
        assert canaries.found_in(text) == []
        assert "alice" not in text


def test_no_verb_and_no_doctor_shows_a_secret(
    folder: DataFolder,
    tmp_path: Path,
    canaries: Canaries,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = copy_data_folder(folder, tmp_path / "data")
    monkeypatch.setenv("TPSI_DATA", str(data.path))
    verbs = (
        ("status",),
        ("account", "list"),
        ("account", "list", "--tokens"),
        ("inspect", str(NEWEST)),
        ("inspect", str(NEWEST), "--json"),
        ("doctor", "--json"),
        ("keys", "list"),
        ("database", "check"),
        ("certificate", "list"),
    )
    for passphrase in (PASSPHRASE.reveal().decode(), "another passphrase, a wrong one"):
        monkeypatch.setenv("TPSI_PASSPHRASE", passphrase)
        for verb in (*verbs, ("match",), ("build", "--threshold", "30")):
            with pytest.raises(SystemExit):
                main(list(verb))
            shown = capsys.readouterr()
            assert canaries.found_in(shown.out + shown.err) == [], verb
            assert passphrase not in shown.out + shown.err, verb
    found = "".join(map(repr, examine_server(data, PASSPHRASE)))
    assert canaries.found_in(found) == []


def test_no_representation_and_no_traceback_shows_a_secret(stage: Stage, tmp_path: Path) -> None:
    """What a debugger, a log line with an object in it, or a crash report would show."""
    epoch, vouchers, tokens, canaries = stage.epoch, stage.vouchers, stage.tokens, stage.canaries
    data = copy_data_folder(stage.folder, tmp_path / "data")
    keys = KeyRing(data.keys, PASSPHRASE)
    submissions = [Submission("alice", one) for one in vouchers]
    opened = match(epoch.manifest, keys.epoch(epoch.manifest), submissions)
    endpoint = Endpoint.parse("localhost:5", None, tokens["device"])
    with Runtime(data, PASSPHRASE, workers=0) as runtime:
        runtime.ingest.ingest("alice", vouchers)
        things: list[object] = [
            keys,
            keys.epoch(epoch.manifest),
            PASSPHRASE,
            *opened,
            endpoint,
            Service(endpoint),
            runtime,
            runtime.accounts,
        ]
        things += [epoch.device("alice"), epoch.keys("alice"), AccountSecret(bytes(16), PASSPHRASE), *submissions]
        claim = runtime.store.matches.claim(NEWEST, 10, 60.0, 1e9)
        things += [
            claim,
            runtime.accounts.issue(Role.DEVICE, "alice"),
            Item(b"1", (md5(1),), Photograph(CONTENT_KEY, b"").encode()),
        ]
        for thing in things:
            assert canaries.found_in(repr(thing)) == [], type(thing)
            assert not TOKEN_SECRET.search(repr(thing)), type(thing)
        _break_store(data)
        with pytest.raises(StoreError) as failed:
            runtime.ingest.ingest("alice", epoch.seal(["another"], seed="another"))
        text = "".join(traceback.format_exception(failed.value))
        assert "no such table" in text
        assert canaries.found_in(text) == []


def test_a_device_tells_no_secret_when_its_server_fails_it(
    tokens: dict[str, str], canaries: Canaries, caplog: pytest.LogCaptureFixture
) -> None:
    import asyncio

    async def call() -> None:
        async with Service(Endpoint.parse("127.0.0.1:1", None, tokens["device"])) as service:
            await service.who_am_i()

    with caplog.at_level(logging.DEBUG), pytest.raises(ServiceError) as told:
        asyncio.run(call())
    text = caplog.text + str(told.value) + repr(told.value) + json.dumps([str(told.value.__dict__)])
    assert canaries.found_in(text) == []
