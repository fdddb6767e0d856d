"""The command `tpsi-server`: what an operator types, and what they are told."""

import errno
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.main import get_command

from tests.server.command import Run, is_one_line, parsed
from tests.server.site import Site, vouchers
from tests.support.server_data import PASSPHRASE, wait_for
from tpsi import Photograph
from tpsi_server import Role, Runtime
from tpsi_server.bundle import write_bundle
from tpsi_server.cli.app import app
from tpsi_server.enrolment import Enrolment
from tpsi_server.epochs import Builder
from tpsi_server.keyfile import DEFAULT_COST, Cost
from tpsi_server.store import Reveal, RevealStore
from tpsi_server.tables import TABLE_FILE, epoch_folder


def hashes(path: Path, names: range) -> Path:
    path.write_text("".join(hashlib.md5(str(n).encode()).hexdigest() + "\n" for n in names))  # noqa: S324
    return path


def all_commands() -> list[list[str]]:
    """Every verb, with its group."""
    found: list[list[str]] = []
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found += [[name, verb] for verb in inner] if inner else [[name]]
    return found


@pytest.mark.parametrize("verb", all_commands(), ids=" ".join)
def test_every_verb_teaches_itself(run: Run, verb: list[str]) -> None:
    status, out, _ = run(*verb, "--help")
    assert status == 0
    assert "Usage: tpsi-server " + " ".join(verb) in out
    assert len(re.split(r"\n\s*\n", out)) > 2


def test_without_a_verb_the_help_shows_a_first_session(run: Run) -> None:
    _, out, err = run()
    assert "tpsi-server init" in out + err


@pytest.mark.parametrize("arguments", [["frobnicate"], ["inspect"], ["inspect", "one"], ["build", "--threshold", "0"]])
def test_wrong_usage_is_status_2(run: Run, arguments: list[str]) -> None:
    assert run(*arguments)[0] == 2


def test_a_list_becomes_an_epoch(run: Run, tmp_path: Path) -> None:
    path = hashes(tmp_path / "list.txt", range(100, 120))
    imported = parsed(run("list", "import", path, "--source", "second", "--json"))
    assert (imported["hashes_before"], imported["hashes_after"]) == (0, 20)
    assert [source["name"] for source in parsed(run("list", "sources", "--json"))] == ["names", "second"]
    assert parsed(run("list", "report", "--json"))["admitted"] == 70
    assert parsed(run("list", "report", "--minimum-sources", 2, "--json"))["admitted"] == 0
    built = parsed(run("build", "--threshold", 5, "--json"))
    assert (built["epoch"], built["items"], built["threshold"], built["rows"]) == (2, 71, 5, 4)
    assert [epoch["state"] for epoch in parsed(run("tables", "--json"))] == ["in force", "in force"]
    assert len(parsed(run("inspect", 2, "--verify", "--with-key", "--json"))["verified"]) == 4
    assert run("retire", 1, "--yes")[0] == 0
    assert [epoch["state"] for epoch in parsed(run("tables", "--json"))] == ["retired", "in force"]
    assert parsed(run("status", "--json"))["epochs_in_force"] == [2]


def test_options_of_build_reach_the_manifest(run: Run) -> None:
    options = {
        "--threshold": 7,
        "--rows": 9,
        "--encoding": "cuckoo",
        "--suite": "TPSI-P256-SHA256",
        "--count-by": "item",
        "--synthetic-mode": "add",
        "--synthetic-per-million": 1234,
        "--minimum-sources": 1,
        "--name": "another name",
    }
    built = parsed(run("build", "--json", *(value for pair in options.items() for value in pair)))
    assert (built["threshold"], built["rows"], built["encoding"]) == (7, 9, "cuckoo")
    assert (built["suite"], built["count_by"], built["name"]) == ("TPSI-P256-SHA256", "item", "another name")
    assert (built["synthetic_mode"], built["synthetic_per_million"]) == ("add", 1234)
    again = parsed(run("build", "--synthetic-mode", "none", "--json"))
    assert (again["synthetic_mode"], again["synthetic_per_million"], again["threshold"]) == ("none", 0, 7)
    back = parsed(run("build", "--synthetic-mode", "replace", "--json"))
    assert (back["synthetic_mode"], back["synthetic_per_million"]) == ("replace", 50_000)
    assert run("build", "--synthetic-mode", "add", "--synthetic-per-million", "0")[0] == 2


def test_tables_for_people(run: Run) -> None:
    status, out, _ = run("tables")
    assert status == 0
    assert out.splitlines()[0].split() == [
        "epoch",
        "created",
        "(UTC)",
        "hashes",
        "octets",
        "encoding",
        "threshold",
        "state",
    ]
    assert out.splitlines()[1].split()[-2:] == ["in", "force"]


def test_an_account_gets_a_token_once(run: Run) -> None:
    status, out, err = run("account", "add", "alice")
    token = out.strip()
    assert status == 0
    assert token.startswith("tpsi_")
    assert token not in err
    listed = parsed(run("account", "list", "--json"))
    assert [account["name"] for account in listed] == ["alice"]
    assert token not in json.dumps(parsed(run("account", "list", "--tokens", "--json")))
    status, _, err = run("account", "add", "alice")
    assert (status, is_one_line(err)) == (1, True)


def test_an_enrolment_file_holds_all_that_a_device_needs(run: Run, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "alice.json"
    status, out, _ = run("account", "add", "alice", "--server", "tpsi.example:50051", "--enrolment", path)
    value = json.loads(path.read_bytes())
    assert status == 0
    assert value["token"] not in out
    assert (value["server"], value["lowest_threshold"]) == ("tpsi.example:50051", 3)
    assert value["ca"].startswith("-----BEGIN CERTIFICATE-----")
    with site.runtime() as runtime:
        assert runtime.accounts.authenticate(value["token"]).account == "alice"


def test_a_device_may_trust_other_authorities(run: Run, site: Site, tmp_path: Path) -> None:
    options = ("--server", "tpsi.example:443", "--enrolment")
    assert run("account", "add", "a", *options, tmp_path / "a.json", "--ca", "system")[0] == 0
    assert json.loads((tmp_path / "a.json").read_bytes())["ca"] is None
    assert run("account", "add", "b", *options, tmp_path / "b.json")[0] == 0
    own = tmp_path / "own.pem"
    own.write_text(json.loads((tmp_path / "b.json").read_bytes())["ca"])
    assert run("account", "add", "c", *options, tmp_path / "c.json", "--ca", own)[0] == 0
    own.write_text("no certificate")
    status, _, err = run("account", "add", "d", *options, tmp_path / "d.json", "--ca", own)
    assert (status, is_one_line(err)) == (1, True)


@pytest.mark.parametrize("options", [["--server", "nonsense"], ["--server", "host:1"], ["--enrolment", "{tmp}/x.json"]])
def test_an_account_is_not_added_if_its_file_cannot_be_written(run: Run, tmp_path: Path, options: list[str]) -> None:
    arguments = [option.replace("{tmp}", str(tmp_path)) for option in options]
    if arguments[1] == "nonsense":
        arguments += ["--enrolment", str(tmp_path / "x.json")]
    status, _, err = run("account", "add", "alice", *arguments)
    assert (status, is_one_line(err)) == (1, True)
    assert parsed(run("account", "list", "--json")) == []


def test_an_account_is_not_added_if_the_folder_of_its_file_is_not_there(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "alice.json"
    status, _, err = run("account", "add", "alice", "--server", "tpsi.example:50051", "--enrolment", path)
    assert (status, is_one_line(err)) == (1, True)
    assert f"there is no folder {path.parent}" in err
    assert parsed(run("account", "list", "--json")) == []


def test_a_token_whose_file_could_not_be_written_is_revoked(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: Enrolment, path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Enrolment, "write", full)
    options = ("--server", "tpsi.example:50051", "--enrolment", tmp_path / "alice.json")
    status, _, err = run("account", "add", "alice", *options)
    assert (status, is_one_line(err)) == (1, True)
    assert "No space left on device" in err
    assert [token["revoked"] is None for token in parsed(run("account", "list", "--tokens", "--json"))] == [False]
    assert "tpsi-server account token" in err


def test_tokens_for_other_roles(run: Run, site: Site) -> None:
    for role in ("operator", "reviewer", "auditor"):
        token = run("account", "token", "--role", role, "--expires-days", "1")[1].strip()
        with site.runtime() as runtime:
            assert runtime.accounts.authenticate(token).role is Role(role)
    for arguments in (["--role", "operator", "alice"], [], ["nobody"]):
        status, _, err = run("account", "token", *arguments)
        assert (status, is_one_line(err)) == (1, True)


def test_revoking(run: Run) -> None:
    for name in ("alice", "bob"):
        run("account", "add", name)
    assert run("account", "revoke", "alice", "--yes")[0] == 0
    assert run("account", "revoke", "--token", 2, "--yes")[0] == 0
    assert [account["revoked"] is None for account in parsed(run("account", "list", "--json"))] == [False, True]
    assert [token["revoked"] is None for token in parsed(run("account", "list", "--tokens", "--json"))] == [True, False]
    for arguments in (["nobody"], [], ["alice", "--token", "1"], ["--token", "9"]):
        status, _, err = run("account", "revoke", *arguments, "--yes")
        assert (status, is_one_line(err)) == (1, True)


def test_vouchers_from_files_become_a_reveal(run: Run, site: Site, tmp_path: Path) -> None:
    run("account", "add", "alice")
    with site.runtime() as runtime:
        data = vouchers(runtime, range(5))
    with (tmp_path / "vouchers").open("wb") as file:
        write_bundle(file, data)
    command = ("ingest", tmp_path / "vouchers", "--account", "alice", "--json")
    assert parsed(run(*command)) == {"stored": 5, "already": 0, "refused": {}}
    assert parsed(run(*command)) == {"stored": 0, "already": 5, "refused": {}}
    assert run("reveal", "show", "alice")[1] == "nothing was revealed of account alice\n"
    matched = parsed(run("match", "--json"))
    assert (matched["matched"], matched["revealed"], matched["waiting"]) == (5, 5, 0)
    shown = parsed(run("reveal", "show", "alice", "--json"))
    assert [item["octets"] for item in shown] == [1] * 5
    assert len(run("reveal", "show", "alice")[1].splitlines()) == 6
    exported = parsed(run("reveal", "export", "alice", "--to", tmp_path / "out", "--json"))
    assert (exported["items"], exported["problems"]) == (5, [])
    assert {path.read_bytes() for path in (tmp_path / "out").glob("*.data")} == {b"0", b"1", b"2", b"3", b"4"}


def test_a_refused_voucher_is_an_error_with_its_reason(run: Run, tmp_path: Path) -> None:
    run("account", "add", "alice")
    with (tmp_path / "vouchers").open("wb") as file:
        write_bundle(file, [b"no voucher"])
    status, out, err = run("ingest", tmp_path / "vouchers", "--account", "alice", "--json")
    assert (status, json.loads(out)["refused"]) == (1, {"VOUCHER_MALFORMED": 1})
    assert "VOUCHER_MALFORMED 1" in err


def test_a_photograph_is_shown_as_such(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("account", "add", "alice")
    photograph = Photograph(bytes(32), b"jpeg").encode()
    reveal = Reveal(bytes(16), photograph, 1.0, 2.0, 1)
    monkeypatch.setattr(RevealStore, "of_account", lambda _store, _name: iter([reveal]))
    assert parsed(run("reveal", "show", "alice", "--json"))[0]["content"] == "photograph"


# ---------------------------------------------------------------- what can go wrong


def test_mistakes_are_one_line_on_stderr_and_status_1(run: Run, site: Site, tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish"
    rubbish.write_bytes(b"\0\1\2" * 100)
    mistakes: list[tuple[list[object], str]] = [
        (["list", "import", tmp_path / "none", "--source", "a"], "cannot be read"),
        (["list", "import", rubbish, "--source", "a"], "rubbish"),
        (["list", "import", tmp_path, "--source", "a"], "cannot be read|directory"),
        (["list", "import", rubbish, "--source", "a", "--format", "vic"], "rubbish"),
        (["list", "remove", "nobody", "--yes"], "no source"),
        (["inspect", 9], "no epoch 9"),
        (["retire", 9, "--yes"], "no epoch 9"),
        (["build", "--suite", "ROT13"], "unknown ciphersuite"),
        (["build", "--encoding", "bloom"], "neither fuse nor cuckoo"),
        (["build", "--minimum-sources", 5], "from 1 source to all"),
        (["ingest", rubbish, "--account", "a"], "not a file of vouchers"),
        (["reveal", "show", "nobody"], "no account"),
        (["reveal", "export", "nobody", "--to", tmp_path / "out"], "no account"),
        (["build", "--passphrase-file", tmp_path / "none"], "No such file"),
        (["match", "--keys", tmp_path], "missing"),
        (["init", "--name", "again"], "already"),
        (["serve", "--certificate", rubbish], "together"),
        (["status", "--data", tmp_path / "nowhere"], "tpsi-server init"),
    ]
    for arguments, words in mistakes:
        status, out, err = run(*arguments)
        assert (status, out, is_one_line(err)) == (1, "", True), (arguments, out, err)
        assert re.search(words, err), err


def test_a_wrong_passphrase_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPSI_PASSPHRASE", "wrong")
    for verb in ("build", "match"):
        status, _, err = run(verb)
        assert (status, is_one_line(err)) == (1, True)
        assert "the passphrase is not the one" in err


def test_without_a_passphrase_and_a_terminal_it_says_how_to_give_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TPSI_PASSPHRASE")
    status, _, err = run("build")
    assert (status, is_one_line(err)) == (1, True)
    assert "--passphrase-file" in err


def test_a_damaged_table_is_named_and_the_others_listed(run: Run, site: Site) -> None:
    site.build()
    path = epoch_folder(site.folder, 1) / TABLE_FILE
    path.write_bytes(path.read_bytes()[:-1])
    listed = parsed(run("tables", "--json"))
    assert ["restore it from a backup" in epoch["state"] for epoch in listed] == [True, False]
    for verb in (["inspect", 1], ["status"]):
        status, _, err = run(*verb)
        assert (status, is_one_line(err)) == (1, True)
    assert run("retire", 1, "--yes")[0] == 0
    assert run("status")[0] == 0


def test_a_question_that_is_not_answered_with_yes_changes_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    status, _, _ = run("retire", 1)
    assert status == 1
    assert [epoch["state"] for epoch in parsed(run("tables", "--json"))] == ["in force"]


def test_ctrl_c_is_status_130_and_leaves_nothing_half_done(
    run: Run, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    before = sorted(site.folder.path.rglob("*"))
    with monkeypatch.context() as patch:
        patch.setattr(Builder, "_table", interrupt)
        status, _, err = run("build")
    assert (status, "interrupted" in err) == (130, True)
    assert {path.name for path in site.folder.path.rglob("*")} - {path.name for path in before} <= {".lock"}


def test_the_readers_end_of_a_pipe_may_close_early(site: Site) -> None:
    command = f"{sys.executable} -m tpsi_server.cli tables --data {site.folder.path} | true"
    done = subprocess.run(command, shell=True, capture_output=True, check=False)  # noqa: S602
    assert b"Traceback" not in done.stderr


# ---------------------------------------------------------------- as a process


def command(*arguments: object, passphrase: bytes = PASSPHRASE.reveal()) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "TPSI_PASSPHRASE": passphrase.decode()}
    argv = [sys.executable, "-m", "tpsi_server.cli", *map(str, arguments)]
    return subprocess.run(argv, env=environment, capture_output=True, check=False, timeout=120)


def test_the_command_sets_up_a_server_with_keys_apart(tmp_path: Path) -> None:
    options = ("--data", tmp_path / "data", "--keys", tmp_path / "keys")
    done = command("init", "--name", "a list", *options)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Next: tpsi-server list import" in done.stdout
    key = tmp_path / "keys" / "server.key"
    assert {path.name for path in key.parent.iterdir()} == {".lock", "data-1.key", "server.key"}
    kdf = json.loads(key.read_bytes())["kdf"]
    assert Cost(kdf["n"], kdf["r"], kdf["p"]) == DEFAULT_COST  # not the tests' own
    assert command("init", "--name", "a list", *options).returncode == 1


def test_sigterm_ends_a_build_without_a_trace(site: Site) -> None:
    site.list_names("many", range(20_000))
    (site.folder.tables / ".lock").unlink()
    before = {path.name for path in site.folder.path.rglob("*")}
    environment = {**os.environ, "TPSI_PASSPHRASE": PASSPHRASE.reveal().decode()}
    argv = [sys.executable, "-m", "tpsi_server.cli", "build", "--processes", "1", "--data", str(site.folder.path)]
    with subprocess.Popen(argv, env=environment, stderr=subprocess.PIPE) as process:
        wait_for(lambda: (site.folder.tables / ".lock").exists() or process.poll() is not None)
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 143
    assert b"Traceback" not in err
    assert {path.name for path in site.folder.path.rglob("*")} - before <= {".lock"}


def test_the_runtime_needs_a_data_folder_that_is_whole(site: Site, tmp_path: Path) -> None:
    shutil.copytree(site.folder.path, tmp_path / "copy")
    copy = Site(tmp_path / "copy")
    copy.folder.database.unlink()
    with pytest.raises(Exception, match="no database"):
        Runtime(copy.folder)
