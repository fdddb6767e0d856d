"""`tpsi-device` as its user meets it: what it prints, how it exits, and one line for everything that goes wrong."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.certificates import Authority
from tests.client.epochs import Epoch, first_epoch, sha256
from tests.client.fake_server import TOKEN, FakeServer, opened, save_enrolment
from tests.client.pictures import make_pictures
from tpsi import Header, Synthetic, SyntheticMode
from tpsi_client.cli import main
from tpsi_proto import tpsi_pb2 as pb

SAMPLES = make_pictures(12)


class Ran:
    """The outcome of a command."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    def failed(self, said: str) -> None:
        """It ended with status 1 and one line on stderr."""
        assert self.status == 1, (self.out, self.err)
        assert self.out == ""
        assert self.err.startswith("tpsi-device: ")
        assert self.err.count("\n") == 1
        assert said in self.err


Run = Callable[..., Ran]


@pytest.fixture
def epoch() -> Epoch:
    return first_epoch(tuple(sha256(content) for content in SAMPLES[:5]), synthetic=Synthetic(SyntheticMode.REPLACE, 1))


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process, in the home of the test."""
    monkeypatch.setenv("TPSI_HOME", str(home))
    monkeypatch.setenv("GRPC_VERBOSITY", "NONE")

    def command(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["tpsi-device", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        captured = capfd.readouterr()
        return Ran(int(end.value.code or 0), captured.out, captured.err)

    return command


@pytest.fixture
def file(server: FakeServer, authority: Authority, tmp_path: Path) -> Path:
    return save_enrolment(tmp_path, server, authority)


def test_a_first_session(run: Run, file: Path, server: FakeServer, epoch: Epoch, folder: Path) -> None:
    enrolled = run("enrol", file)
    assert (enrolled.status, enrolled.err) == (0, "")
    for said in (
        "Enrolled as alice at 127.0.0.1:",
        '"a test list", epoch 1: 206 hashes (sha256)',
        "while at most 3 pictures of this device match, the server learns nothing about any of them",
        "this device hashes as the list's makers do: sha256",
        "is here and verified",
        "Next: tpsi-device scan DIR",
    ):
        assert said in enrolled.out
    scanned = run("scan", folder)
    assert "12 pictures: 12 sealed now (12 vouchers), 0 sealed before, 0 not usable." in scanned.out
    assert "12 vouchers acknowledged by the server, durably." in run("upload").out
    assert opened(epoch, server.behaviour.vouchers) == 5
    assert "12 sealed before" in run("scan", folder).out
    assert "Nothing to fetch: epoch 1 with 206 hashes is here." in run("fetch").out
    status = run("status")
    assert "12 vouchers acknowledged, last on 20" in status.out
    assert "accepts     lists that need more than 3 matching pictures" in status.out
    assert TOKEN not in enrolled.out + scanned.out + status.out


def test_sync_does_all_at_once(run: Run, file: Path, server: FakeServer, folder: Path) -> None:
    run("enrol", file)
    synced = run("sync", folder)
    assert (synced.status, len(synced.out.splitlines())) == (0, 3)
    assert len(server.behaviour.vouchers) == 12
    (folder / "photo99.jpg").write_bytes(make_pictures(13)[12])
    assert "1 voucher acknowledged" in run("sync", folder / "photo99.jpg").out


def test_status_for_programs(run: Run, file: Path, folder: Path) -> None:
    run("enrol", file)
    run("scan", folder)
    state = json.loads(run("status", "--json").out)
    assert (state["queued"], state["acknowledged"], state["refused"]) == (12, 0, {})
    assert (state["epoch"], state["threshold"], state["hash_types"]) == (1, 3, ["sha256"])
    assert (state["table_complete"], state["modes"], state["bad_candidates"]) == (True, ["replace"], 0)
    assert "token" not in state


def test_a_folder_without_pictures_is_told_what_is_taken_for_one(run: Run, file: Path, tmp_path: Path) -> None:
    run("enrol", file)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("no picture")
    assert "0 pictures: 0 sealed now" in (out := run("scan", tmp_path / "other").out)
    assert "Pictures are told by their names" in out


def test_options_of_scan(run: Run, file: Path, server: FakeServer, folder: Path, tmp_path: Path) -> None:
    server.behaviour.epochs = [first_epoch((), ("pdq", "sha256"))]
    run("enrol", file)
    (folder / "broken.jpg").write_text("no picture")
    out = run("scan", folder, "--types", "pdq", "--originals", tmp_path / "originals").out
    assert "12 encrypted originals written." in out
    assert "1 not usable" in out
    assert "\n  broken.jpg: not a picture" in out
    run("scan", folder, "--types", "md5").failed("no 'md5' hashes can be sealed for this list")


def test_the_way_through_files(run: Run, file: Path, folder: Path, tmp_path: Path) -> None:
    run("enrol", file)
    assert "Nothing to export" in run("export", tmp_path / "none").out
    run("scan", folder)
    path = tmp_path / "vouchers"
    assert "12 vouchers written" in run("export", path).out
    run("export", path, "--again").failed("exists already")
    assert "12 vouchers taken for delivered." in run("delivered", path).out
    assert json.loads(run("status", "--json").out)["queued"] == 0
    path.write_bytes(b"something else")
    run("delivered", path).failed("not a file of vouchers")
    run("delivered", tmp_path / "nowhere").failed("No such file")


def test_refused_vouchers_say_what_to_do(run: Run, file: Path, server: FakeServer, folder: Path) -> None:
    run("enrol", file)
    run("scan", folder)
    server.behaviour.refuse = lambda _data: pb.EPOCH_RETIRED
    refused = run("upload")
    assert refused.status == 1
    assert "12 vouchers refused (EPOCH_RETIRED) and kept aside" in refused.out
    assert "tpsi-device rescan" in refused.out
    assert "12 vouchers refused (EPOCH_RETIRED)" in run("status").out
    assert run("upload").status == 0
    server.behaviour.refuse = lambda _data: None
    assert "12 vouchers acknowledged" in run("upload", "--again").out


def test_rescan_asks_first(run: Run, file: Path, folder: Path, server: FakeServer) -> None:
    run("enrol", file)
    run("sync", folder)
    unasked = run("rescan")
    assert unasked.status == 2
    assert "--yes" in unasked.err
    assert "tells it more about the number of matches" in " ".join(run("rescan", "--help").out.split())
    assert "A new generation has begun" in run("rescan", "--yes").out
    assert "12 sealed now" in run("scan", folder).out
    run("upload")
    assert len({Header.decode(data).generation for data in server.behaviour.vouchers}) == 2


def test_pins(run: Run, file: Path) -> None:
    run("enrol", file, "--lowest-threshold", 2, "--least-synthetic", 0, "--modes", "replace,add")
    state = json.loads(run("status", "--json").out)
    assert (state["lowest_threshold"], state["least_synthetic"], state["modes"]) == (2, 0, ["replace", "add"])
    assert run("pin").status == 2
    assert run("pin", "--modes", "sometimes").status == 2
    pinned = run("pin", "--lowest-threshold", 50, "--modes", "replace")
    assert "Pinned: lists that need more than 50 matching pictures" in pinned.out
    run("fetch").failed("this device accepts lists that need more than 50")


class TestFailures:
    def test_no_device_yet(self, run: Run, folder: Path) -> None:
        for words in (["fetch"], ["scan", folder], ["upload"], ["status"], ["rescan", "--yes"]):
            run(*words).failed("no device is enrolled in")

    def test_an_enrolment_file_that_is_none(self, run: Run, tmp_path: Path, home: Path) -> None:
        run("enrol", tmp_path / "nowhere.json").failed("there is no enrolment file at")
        run("enrol", tmp_path).failed("can't be read")
        (tmp_path / "bad.json").write_text('{"tpsi_enrolment": 1}')
        run("enrol", tmp_path / "bad.json").failed('"server"')
        assert not home.exists()

    def test_a_server_that_is_gone(self, run: Run, file: Path, server: FakeServer, folder: Path) -> None:
        run("enrol", file)
        run("scan", folder)
        server.__exit__()
        ran = subprocess.run([sys.executable, "-c", HASTY, "upload"], capture_output=True, text=True, check=False)
        assert ran.returncode == 1
        lines = ran.stderr.splitlines()
        assert lines[-1].startswith("tpsi-device: nothing listens at 127.0.0.1:")
        assert all(line.startswith("note: nothing listens") for line in lines[:-1])
        assert json.loads(run("status", "--json").out)["queued"] == 12

    def test_a_token_that_was_revoked(self, run: Run, file: Path, server: FakeServer) -> None:
        run("enrol", file)
        server.behaviour.token_reason = "TOKEN_REVOKED"
        run("fetch").failed("the operator has revoked this device's access token; ask the operator for a new")

    def test_a_folder_in_use(self, run: Run, file: Path, home: Path) -> None:
        from tpsi_client import Device

        run("enrol", file)
        with Device.open(home):
            run("upload").failed(f"another process (number {os.getpid()}) is using the device")
            assert run("status").status == 0

    def test_a_home_that_cannot_be_made(self, run: Run, file: Path, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        run("enrol", file, "--home", tmp_path / "file" / "home").failed("can't make the folder")

    @pytest.mark.parametrize(
        "arguments",
        [["scan"], ["scan", "/no/such/folder"], ["upload", "--no-such-option"], ["no-such-verb"], ["pin"]],
    )
    def test_wrong_usage(self, run: Run, arguments: list[str]) -> None:
        ran = run(*arguments)
        assert (ran.status, ran.out) == (2, "")
        assert "Usage: tpsi-device" in ran.err

    def test_help_teaches(self, run: Run) -> None:
        top = run("--help").out
        for verb in ("enrol", "fetch", "scan", "upload", "sync", "status", "rescan", "export", "delivered", "pin"):
            assert f"\n  {verb} " in top
            shown = run(verb, "--help")
            assert shown.status == 0
            assert len(shown.out.splitlines()) > 6


#: The command with little patience, so that the test need not wait as a person would.
HASTY = """
import tpsi_client.device
from tpsi_client.service import Patience
tpsi_client.device.Patience = lambda: Patience(attempts=3, first=0.001, longest=0.002)
from tpsi_client.cli import main
main()
"""
