"""A stolen database: recognisable secrets go through a whole server, and are searched for in all that it leaves.

The thief has the data folder without the passphrase (the key files are in it, encrypted), the server's log, and the
texts of its errors.
"""

import base64
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.server.site import LISTED, SHARING, Site, device, vouchers, wait_until_idle
from tests.support.postgres import PostgresServer
from tests.support.server_data import COST, PASSPHRASE, add_source, wait_for
from tests.support.world import NO_COVER, md5
from tpsi import Item, Secret, TpsiError, seal
from tpsi_server import DataFolder, Role, Runtime, Store
from tpsi_server.epochs import Builder, BuildOptions
from tpsi_server.keys import KeyRing
from tpsi_server.rotation import rotate
from tpsi_server.setup import set_up
from tpsi_server.store.schema import opened, pools

#: Associated data of items: those of alice stay below the threshold, those of bob are revealed.
BELOW, ABOVE, NOWHERE = b"CANARY-below-the-threshold", b"CANARY-above-the-threshold", b"CANARY-not-on-the-list"


class Stolen:
    """All that the thief has, by name, and what must not be in it, by name."""

    def __init__(self) -> None:
        self.loot: dict[str, bytes] = {}
        self.canaries: dict[str, bytes] = {}

    def found(self) -> list[str]:
        """Canaries that are somewhere, in any usual form."""
        return [
            f"{canary} in {place}"
            for canary, secret in self.canaries.items()
            for place, content in self.loot.items()
            if any(form in content for form in forms(secret))
        ]


def forms(secret: bytes) -> list[bytes]:
    """A secret as it may be written."""
    inner = secret[1:-1]  # what base64 makes of it depends on where it begins
    encoded = [base64.b64encode(inner[start : start + 3 * ((len(inner) - start) // 3)]) for start in range(3)]
    return [secret, secret.hex().encode(), secret.hex().upper().encode(), repr(secret)[2:-1].encode(), *encoded]


@pytest.fixture(params=["sqlite", "postgresql"])
def stolen(request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Stolen]:
    """What a server leaves that has gone through uploads, matching, a reveal and some errors."""
    caplog.set_level(logging.DEBUG)
    folder, server = DataFolder.at(tmp_path / "data"), None
    if request.param == "postgresql":
        server = request.getfixturevalue("own_postgres")
        assert isinstance(server, PostgresServer)
        with server.database() as url:
            yield run_server(replace(folder, database_at=url.render_as_string()), server, caplog)
    else:
        yield run_server(folder, None, caplog)


def run_server(folder: DataFolder, server: PostgresServer | None, caplog: pytest.LogCaptureFixture) -> Stolen:
    stolen = Stolen()
    set_up(folder, "a list", PASSPHRASE, cost=COST)
    ring = KeyRing(folder.keys, PASSPHRASE, cost=COST)
    with Store.open(folder.location) as store:
        add_source(store, "names", map(md5, LISTED))
        manifest = Builder(folder, store, ring, processes=1).build(BuildOptions(SHARING, NO_COVER))
    errors: list[str] = []
    with Runtime(folder, PASSPHRASE, workers=0) as runtime:
        for name, listed in (("alice", 3), ("bob", 6)):
            runtime.accounts.create(name)
            stolen.canaries[f"token of {name}"] = runtime.accounts.issue(Role.DEVICE, name).token.reveal()
            items = [Item(b"%d" % n, (md5(n),), ABOVE if name == "bob" else BELOW) for n in range(listed)]
            items += [Item(b"x%d" % n, (md5(f"x{n}"),), NOWHERE) for n in range(3)]
            data = [voucher.data for voucher in seal(device(runtime, name), items).vouchers]
            runtime.ingest.ingest(name, data)
        runtime.match_all()
        assert [len(list(runtime.store.reveals.of_account(name))) for name in ("alice", "bob")] == [0, 6]
        stolen.loot["reprs"] = repr(list(runtime.store.reveals.of_account("bob"))).encode() + repr(ring).encode()
        collect_cells(runtime, ring, stolen)
    for wrong in (Secret(b"wrong"), None):
        try:
            with Runtime(folder, wrong, workers=0) as runtime:
                list(runtime.store.reveals.of_account("bob"))
        except TpsiError as error:
            errors += [str(error), repr(error), repr(error.__cause__), repr(error.__context__)]
    stolen.loot["errors"] = "\n".join(errors).encode()
    stolen.loot["log"] = caplog.text.encode()
    secrets = ring.epoch(manifest)
    stolen.canaries |= {
        "passphrase": PASSPHRASE.reveal(),
        "alpha": secrets.alpha.reveal(),
        "fill key": secrets.fill_key.reveal(),
        "data key": ring.data_key(1).reveal(),
        "signing key": ring.signing_key().private_bytes_raw(),
        "associated data below the threshold": BELOW,
        "associated data above the threshold": ABOVE,
        "associated data of other items": NOWHERE,
    }
    for path in folder.path.rglob("*"):
        if path.is_file():
            stolen.loot[str(path.relative_to(folder.path))] = path.read_bytes()
    if server is not None:
        server.execute("CHECKPOINT")
        for path in [path for part in ("base", "pg_wal", "log") for path in [server.files / part]]:
            for file in path.rglob("*") if path.is_dir() else [path]:
                if file.is_file():
                    stolen.loot[str(file)] = file.read_bytes()
    return stolen


def collect_cells(runtime: Runtime, ring: KeyRing, stolen: Stolen) -> None:
    """The values of sealed cells are canaries as well: shares, inner ciphertexts, the recovered key."""
    from tpsi_server.store.cells import Cells

    cells = Cells(ring.data_key)
    with runtime.store._database.read() as connection:
        for row in connection.execute(select(opened)):
            stolen.canaries[f"share {row.voucher}"] = cells.open(opened.c.share, (row.voucher, row.pool), row.share)
            stolen.canaries[f"adct {row.voucher}"] = cells.open(opened.c.adct, (row.voucher, row.pool), row.adct)
        for row in connection.execute(select(pools).where(pools.c.ad_key.is_not(None))):
            stolen.canaries["recovered key"] = cells.open(pools.c.ad_key, (row.id, row.account), row.ad_key)


def test_nothing_secret_is_in_what_a_server_leaves(stolen: Stolen) -> None:
    assert len(stolen.canaries) == 2 + 8 + 2 * 9 + 1
    assert "keys/data-1.key" in stolen.loot
    assert sum(map(len, stolen.loot.values())) > 100_000
    assert stolen.found() == []


def test_payloads_that_were_deleted_are_not_beside_the_database_of_a_server_that_runs(tmp_path: Path) -> None:
    """The write-ahead log has all that was written lately, also what was deleted since."""
    site = Site(tmp_path / "data")
    site.list_names("names", LISTED)
    site.build()
    with site.runtime() as runtime:
        runtime.accounts.create("alice")
        sealed = vouchers(runtime, [f"x{n}" for n in range(20)])
        runtime.ingest.ingest("alice", sealed)
        assert lying_about(site, sealed) > 0
        runtime.start_matching()
        wait_until_idle(runtime)
        wait_for(lambda: lying_about(site, sealed) == 0)


def test_cells_of_a_key_that_was_rotated_out_are_not_beside_the_database(tmp_path: Path) -> None:
    site = Site(tmp_path / "data")
    site.list_names("names", LISTED)
    site.build()
    with site.runtime() as runtime, site.store() as beside:
        runtime.accounts.create("alice")
        runtime.ingest.ingest("alice", vouchers(runtime, range(6)))
        runtime.match_all()
        with beside._database.read() as connection:
            cells = list(connection.execute(select(opened.c.share)).scalars())
        assert lying_about(site, cells) == 6
        rotate(runtime.store, site.keys(), site.folder.keys, runtime.identity.list_id)
        assert lying_about(site, cells) == 0


def lying_about(site: Site, octets: Sequence[bytes]) -> int:
    """How many strings of octets are in files of a server, as far as their ends."""
    files = b"".join(path.read_bytes() for path in site.folder.path.glob("*sqlite3*"))
    return sum(one[-32:] in files for one in octets)


@pytest.mark.parametrize("form", forms(ABOVE))
def test_the_search_finds_what_is_there(form: bytes) -> None:
    stolen = Stolen()
    stolen.canaries["data"] = ABOVE
    stolen.loot["log"] = b"a line with " + form + b" in it"
    assert stolen.found() == ["data in log"]
