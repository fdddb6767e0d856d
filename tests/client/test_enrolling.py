"""Enrolling: what is checked, in which words it fails, and that nothing stays behind when it does."""

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.client.certificates import Authority
from tests.client.conftest import HASTE
from tests.client.epochs import FILLERS, Epoch, canary, first_epoch, sign
from tests.client.fake_server import FakeServer, enrolment, save_enrolment
from tpsi import Manifest, Role, SignedManifest, Synthetic, SyntheticMode, VerificationError, sign_manifest
from tpsi.signing import public_key
from tpsi_client import (
    Choices,
    Device,
    Enrolment,
    EnrolmentError,
    HomeError,
    IdentityError,
    SelfCheckError,
    ServiceError,
)
from tpsi_client.endpoint import Endpoint

Enrol = Callable[..., Device]
AUDITORS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (2, 3, 4)]


def serve(server: FakeServer, epoch: Epoch) -> None:
    server.behaviour.epochs = [epoch]


def certified(epoch: Epoch, *auditors: Ed25519PrivateKey) -> Epoch:
    """The epoch with these auditors' signatures."""
    envelope = SignedManifest.decode(epoch.envelope)
    for auditor in auditors:
        envelope = envelope.signed_by(sign_manifest(epoch.manifest, Role.AUDITOR, auditor))
    return replace(epoch, envelope=envelope.encode())


def wrong(manifest: Manifest, **changes: Any) -> bytes:
    """The manifest with changes, signed by somebody else."""
    return sign(replace(manifest, **changes), Ed25519PrivateKey.from_private_bytes(b"\x66" * 32))


class TestFile:
    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"tpsi_enrolment": None}, "not an enrolment file"),
            ({"tpsi_enrolment": 2}, '"tpsi_enrolment"'),
            ({"server": "localhost"}, "host:port"),
            ({"server": "local host:50051"}, "host:port"),
            ({"server": "localhost:0"}, "host:port"),
            ({"server": "localhost:70000"}, "host:port"),
            ({"server": "unix:///tmp/socket"}, "host:port"),
            ({"server": 7}, '"server"'),
            ({"ca": "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----"}, "PEM"),
            ({"list": "00" * 15}, '"list"'),
            ({"list": "zz" * 16}, '"list"'),
            ({"list_name": ""}, '"list_name"'),
            ({"server_key": "00"}, '"server_key"'),
            ({"account": "ali\nce"}, "printable"),
            ({"account": "a" * 65}, '"account"'),
            ({"token": "two words"}, "token"),
            ({"token": "tök"}, "token"),
            ({"lowest_threshold": 0}, '"lowest_threshold"'),
            ({"lowest_threshold": True}, '"lowest_threshold"'),
            ({"auditor_keys": ["00"]}, '"auditor_keys"'),
            ({"auditor_keys": ["11" * 32] * 2}, "named twice"),
            ({"auditor_keys": ["11" * 32], "auditors_needed": 2}, "of 1 auditors 2"),
            ({"auditors_needed": 1}, "of 0 auditors"),
        ],
    )
    def test_a_member_that_is_wrong_is_named(self, authority: Authority, changes: dict[str, object], said: str) -> None:
        with pytest.raises(EnrolmentError, match="ask the operator for a new enrolment file") as caught:
            Enrolment.decode(enrolment("localhost:1", authority, **changes))
        assert said in str(caught.value)

    @pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000])
    def test_what_is_not_an_object_in_json_is_refused(self, data: bytes) -> None:
        with pytest.raises(EnrolmentError, match="the enrolment file is not"):
            Enrolment.decode(data)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(HomeError, match=r"no enrolment file at .*alice.json"):
            Enrolment.read(tmp_path / "alice.json")

    def test_addresses_of_every_kind(self, authority: Authority) -> None:
        def decode(address: str) -> Endpoint:
            return Enrolment.decode(enrolment(address, authority)).endpoint

        six = decode("[::1]:5")
        assert (six.host, six.address, six.is_local) == ("::1", "[::1]:5", True)
        assert (decode("127.0.0.1:5").is_local, decode("localhost:5").is_local) == (True, True)
        assert decode("tpsi.example.org:443").is_local is False

    def test_neither_token_nor_authority_is_shown(self, authority: Authority) -> None:
        decoded = Enrolment.decode(enrolment("localhost:1", authority))
        assert "a-token" not in repr(decoded)
        assert "CERTIFICATE" not in repr(decoded)


class TestEnrolled:
    def test_a_device_has_its_table_and_private_files(self, device: Device, home: Path) -> None:
        status = device.status()
        assert (status.epoch, status.table_complete, status.hash_types) == (1, True, ("sha256",))
        assert device.enrolled is not None
        assert device.enrolled.check.agreeing == ("sha256",)
        for name in ("device.json", "account.secret", "outbox.sqlite3"):
            assert stat.S_IMODE((home / name).stat().st_mode) == 0o600
        assert stat.S_IMODE(home.stat().st_mode) == 0o700

    def test_what_is_not_decided_is_pinned_as_it_is_now(self, device: Device) -> None:
        assert (device.status().lowest_threshold, device.status().least_synthetic) == (3, 1)
        assert device.status().modes == ("replace",)

    def test_the_operators_suggestion_is_taken_and_the_owners_decision_comes_first(
        self, enrol: Enrol, tmp_path: Path
    ) -> None:
        assert enrol(where=tmp_path / "a", lowest_threshold=2).status().lowest_threshold == 2
        chosen = enrol(Choices(lowest_threshold=1), where=tmp_path / "b", lowest_threshold=2)
        assert chosen.status().lowest_threshold == 1

    def test_the_operators_auditors_are_taken_and_the_owners_come_first(
        self, enrol: Enrol, server: FakeServer, epoch: Epoch, tmp_path: Path
    ) -> None:
        serve(server, certified(epoch, *AUDITORS[:2]))
        names = [public_key(auditor).hex() for auditor in AUDITORS]
        suggested = enrol(where=tmp_path / "a", auditor_keys=names, auditors_needed=2).status()
        assert (suggested.auditors, suggested.auditors_needed) == (tuple(names), 2)
        choices = Choices(auditor_keys=(public_key(AUDITORS[1]),))
        chosen = enrol(choices, where=tmp_path / "b", auditor_keys=names, auditors_needed=2).status()
        assert (chosen.auditors, chosen.auditors_needed) == ((names[1],), 1)

    def test_a_table_without_enough_auditors_is_refused_later_and_the_old_one_stays(
        self, enrol: Enrol, server: FakeServer, epoch: Epoch
    ) -> None:
        serve(server, certified(epoch, *AUDITORS))
        device = enrol(Choices(auditor_keys=tuple(map(public_key, AUDITORS)), auditors_needed=2))
        server.behaviour.epochs.append(certified(epoch.following(), AUDITORS[2]))
        with pytest.raises(VerificationError, match="1 of the 2 auditors' signatures"):
            device.fetch()
        assert device.status().epoch == 1
        server.behaviour.epochs[-1] = certified(epoch.following(), *AUDITORS[1:])
        assert device.fetch().epoch == 2

    def test_a_new_file_renews_token_and_address_and_keeps_the_rest(
        self, enrol: Enrol, server: FakeServer, home: Path, folder: Path
    ) -> None:
        first = enrol()
        first.scan(folder)
        first.close()
        before, secret = json.loads((home / "device.json").read_text()), (home / "account.secret").read_bytes()
        (home / "device.json").write_text(json.dumps(before | {"token": "an-old-one"}))
        again = enrol()
        assert again.enrolled is not None
        assert again.enrolled.renewed
        assert json.loads((home / "device.json").read_text()) == before
        assert (home / "account.secret").read_bytes() == secret
        assert again.scan(folder).vouchers == 0

    def test_an_enrolled_folder_takes_no_other_account_and_no_other_choices(
        self, enrol: Enrol, server: FakeServer
    ) -> None:
        enrol().close()
        with pytest.raises(EnrolmentError, match="enrolled already"):
            enrol(Choices(lowest_threshold=1))
        server.behaviour.account = "bob"
        with pytest.raises(EnrolmentError, match="belongs to account 'alice'"):
            enrol(account="bob")


class TestRefused:
    """Each of these leaves no device behind."""

    @pytest.fixture(autouse=True)
    def _nothing_behind(self, home: Path) -> Any:
        yield
        assert not (home / "device.json").exists()
        assert not (home / "account.secret").exists()

    def test_a_threshold_below_the_demanded_one(self, enrol: Enrol) -> None:
        with pytest.raises(VerificationError, match="4 matching pictures can be enough"):
            enrol(Choices(lowest_threshold=4))

    def test_less_cover_than_demanded(self, enrol: Enrol) -> None:
        with pytest.raises(VerificationError, match="synthetic"):
            enrol(Choices(least_synthetic=10_000))

    def test_a_mode_that_was_not_accepted(self, enrol: Enrol, server: FakeServer) -> None:
        serve(server, first_epoch().altered(synthetic=Synthetic(SyntheticMode.NONE, 0)))
        with pytest.raises(EnrolmentError, match="--modes none"):
            enrol()

    def test_a_canary_whose_hash_this_device_computes_differently(self, enrol: Enrol, server: FakeServer) -> None:
        serve(server, first_epoch().altered(canary=canary(("sha256",), sha256="ab" * 32)))
        with pytest.raises(SelfCheckError, match=r"expected abab.*nothing on the list would ever match, silently"):
            enrol()

    def test_another_picture_than_the_manifests_canary(self, enrol: Enrol, server: FakeServer) -> None:
        server.behaviour.canary = b"another picture"
        with pytest.raises(VerificationError, match="not the one in the signed manifest"):
            enrol()

    def test_a_list_of_types_that_nobody_here_can_compute(self, enrol: Enrol, server: FakeServer) -> None:
        serve(server, first_epoch().altered(types=("neuralhash",), canary=None))
        with pytest.raises(SelfCheckError, match="neuralhash"):
            enrol()

    def test_a_manifest_signed_by_somebody_else(self, enrol: Enrol, server: FakeServer, epoch: Epoch) -> None:
        serve(server, Epoch(epoch.manifest, epoch.built, wrong(epoch.manifest)))
        with pytest.raises(VerificationError, match="carries no signature by the server"):
            enrol()

    def test_a_truncated_manifest(self, enrol: Enrol, server: FakeServer, epoch: Epoch) -> None:
        serve(server, Epoch(epoch.manifest, epoch.built, epoch.envelope[:-20]))
        with pytest.raises(ValueError, match="signed manifest"):
            enrol()

    def test_another_list_of_the_same_server(self, enrol: Enrol, server: FakeServer, epoch: Epoch) -> None:
        serve(server, epoch.altered(list_id=bytes(16)))
        with pytest.raises(VerificationError, match="another list"):
            enrol()

    def test_a_token_of_another_account(self, enrol: Enrol, server: FakeServer) -> None:
        server.behaviour.account = "mallory"
        with pytest.raises(EnrolmentError, match="for account 'alice', its token for account 'mallory'"):
            enrol()

    @pytest.mark.parametrize(
        ("reason", "said"),
        [
            ("TOKEN_UNKNOWN", "does not know this device's access token"),
            ("TOKEN_EXPIRED", "has expired"),
            ("TOKEN_REVOKED", "revoked"),
            ("ROLE_FORBIDDEN", "not one for devices"),
        ],
    )
    def test_a_token_that_is_refused(self, enrol: Enrol, server: FakeServer, reason: str, said: str) -> None:
        server.behaviour.token_reason = reason
        with pytest.raises(ServiceError, match=said) as caught:
            enrol()
        assert caught.value.reason == reason
        assert "ask the operator for a new enrolment file" in str(caught.value)

    def test_a_server_without_a_table(self, enrol: Enrol, server: FakeServer) -> None:
        server.behaviour.epochs = []
        with pytest.raises(ServiceError, match="not built a table yet"):
            enrol()

    def test_a_server_with_another_authority(self, server: FakeServer, home: Path, tmp_path: Path) -> None:
        file = save_enrolment(tmp_path, server, Authority("somebody else's"))
        with pytest.raises(IdentityError, match="does not come from the authority in the enrolment file"):
            Device.enrol(home, file, patience=HASTE)


class TestInterrupted:
    def test_a_device_whose_table_did_not_arrive_goes_on_with_fetch(
        self, enrol: Enrol, server: FakeServer, home: Path
    ) -> None:
        serve(server, first_epoch(fillers=FILLERS))
        server.behaviour.break_off = [70_000, 0, 0]
        with pytest.raises(ServiceError):
            enrol()
        with Device.open(home, patience=HASTE) as device:
            assert not device.status().table_complete
            with pytest.raises(HomeError, match="tpsi-device fetch"):
                device.queue([])
            server.behaviour.offsets.clear()
            assert device.fetch().received == len(first_epoch(fillers=FILLERS).table) - 70_000
        assert server.behaviour.offsets == [70_000]
