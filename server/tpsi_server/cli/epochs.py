"""Verbs for epochs: `build`, `tables`, `inspect`, `retire`."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from tpsi import SUITES, CountBy, Manifest, Probes, Sharing, Synthetic, SyntheticMode, TpsiError
from tpsi.parameters import MAX_PER_MILLION, MAX_PROBES, MAX_ROWS, MAX_THRESHOLD, MIN_ROWS
from tpsi.pictures import DCT_BITS
from tpsi_server.cli.expected import ExpectedLibrary, FalseMatchRate, Measured, Wished, read_expected
from tpsi_server.cli.options import (
    DEFAULT_DATA,
    AsJson,
    Data,
    Keys,
    PassphraseFile,
    Yes,
    confirm,
    folder_of,
    open_store,
)
from tpsi_server.cli.terminal import moment, say, show, show_json, show_table, watching
from tpsi_server.config import DataFolder
from tpsi_server.epochs import Builder, BuildOptions
from tpsi_server.expectations import doubts
from tpsi_server.inspection import inspect_epoch, retire_epoch, verify_epoch
from tpsi_server.keys import KeyRing
from tpsi_server.passphrase import passphrase
from tpsi_server.store import Store
from tpsi_server.tables import load_manifest

#: Probes for lists of hashes that were made for them.
USUAL_PROBES = 16

_NUMBER = typer.Argument(metavar="EPOCH", min=1, help="The epoch's number; see `tpsi-server tables`.")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    for verb in (build, tables, inspect, retire):
        app.command()(verb)


def build(
    *,
    data: Data = DEFAULT_DATA,
    keys: Keys = None,
    passphrase_file: PassphraseFile = None,
    threshold: Annotated[
        int | None,
        typer.Option("--threshold", metavar="T", min=1, max=MAX_THRESHOLD, help="More than T matches reveal."),
    ] = None,
    minimum_sources: Annotated[
        int | None,
        typer.Option("--minimum-sources", metavar="K", min=1, help="Admit a hash if at least K sources name it."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", metavar="NAME", help="fuse, or cuckoo as in the paper.")
    ] = None,
    suite: Annotated[str | None, typer.Option("--suite", metavar="NAME", help=f"{' or '.join(SUITES)}.")] = None,
    rows: Annotated[
        int | None,
        typer.Option(
            "--rows",
            metavar="U",
            min=MIN_ROWS,
            max=MAX_ROWS,
            help="Values in a share: one match past the minimum makes up for U synthetic vouchers.",
        ),
    ] = None,
    count_by: Annotated[
        CountBy | None, typer.Option("--count-by", help="Count distinct listed hashes, or items (the paper's rule).")
    ] = None,
    synthetic_mode: Annotated[
        SyntheticMode | None,
        typer.Option("--synthetic-mode", help="Synthetic vouchers replace an item's own, come in addition, or none."),
    ] = None,
    synthetic_per_million: Annotated[
        int | None,
        typer.Option(
            "--synthetic-per-million",
            metavar="N",
            min=0,
            max=MAX_PER_MILLION,
            help="Items in a million for which a device makes a synthetic voucher.",
        ),
    ] = None,
    probes: Annotated[
        int | None,
        typer.Option(
            "--probes",
            metavar="P",
            min=1,
            max=MAX_PROBES,
            help="Hashes that a device seals for a picture: its own, and the likeliest of its copies. By default "
            "16 for a first table of dct80 and the like, else 1; 64 find a little more. Each adds 216 octets.",
        ),
    ] = None,
    innocent: Annotated[
        Path | None,
        typer.Option(
            "--innocent",
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="A folder of harmless pictures: hashes that they would match are left out, and reported.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="TEXT", help="The list's name in this and later epochs.")
    ] = None,
    expected_library: ExpectedLibrary = None,
    measured: Measured = None,
    false_match_rate: FalseMatchRate = None,
    wished: Wished = None,
    processes: Annotated[
        int | None,
        typer.Option("--processes", metavar="N", min=1, max=256, help="Processes to blind with; by default all."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build a table from the lists, sign it, put it in force.

    It is the next epoch. What you don't say is as in the epoch before; in the first one the threshold is 30, a
    share has 16 rows and synthetic vouchers replace 5 % of the real ones. Perceptual hashes that lie near pictures
    with little to see, or, with several probes, near each other, are left out and reported. The table has fresh
    secrets, in a key file of their own.

    Vouchers for earlier epochs are still taken until these are retired. Devices that pinned a higher threshold, or
    more synthetic vouchers, refuse an epoch that falls below; a change of threshold, rows or counting starts the
    counting of matches anew.

    If the list has perceptual hashes, you are warned if an innocent account would go over the threshold more often
    than you wish, by what you expect of libraries and have measured of the hash: `tpsi-plan` tells all about it.

    \b
    Example: tpsi-server build --threshold 30 --minimum-sources 2
    """
    folder = folder_of(data, keys)
    with open_store(folder) as store:
        expected = read_expected(store, expected_library, measured, false_match_rate or (), wished)
        before = _newest(folder, store)
        options = _sharing(BuildOptions.like(before) if before else BuildOptions(), threshold, rows, count_by)
        changes: dict[str, Any] = {
            "minimum_sources": minimum_sources,
            "encoding": encoding,
            "suite": suite,
            "name": name,
            "probes": _probes(store, before, probes),
            "innocent": innocent,
            "synthetic": _synthetic(options.synthetic, synthetic_mode, synthetic_per_million),
        }
        options = replace(options, **{key: value for key, value in changes.items() if value is not None})
        if before is not None and before.sharing != options.sharing:
            say("note: threshold, rows or counting change: matches of earlier epochs do not count with later ones")
        ring = KeyRing(folder.keys, passphrase(passphrase_file))
        with watching() as progress:
            builder = Builder(folder, store, ring, progress=progress, processes=processes)
            manifest = builder.build(options)
        found = doubts(manifest, {name: store.lists.count(name) for name in manifest.types}, expected)
        inspection = inspect_epoch(folder, store, manifest.epoch)
    for doubt in found:
        say(f"warning: {doubt}")
    if as_json:
        show_json({**inspection.to_dict(), "doubts": found, "screening": builder.screening.to_dict()})
        return
    show(*builder.screening.lines())
    canary = f", {len(manifest.canary.hashes)} of the canary" if manifest.canary else ""
    show(
        f"epoch {manifest.epoch} is in force: {manifest.items} hashes of {', '.join(manifest.types)}{canary}, "
        f"threshold {manifest.sharing.threshold}, {manifest.table_bytes} octets",
        f"manifest {manifest.digest.hex()}",
    )


def tables(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """List the epochs, and the state of their files.

    \b
    Example: tpsi-server tables
    """
    folder = folder_of(data)
    with open_store(folder) as store:
        listed = [_summary(folder, store, record.number) for record in store.epochs.all()]
    if as_json:
        show_json(listed)
        return
    columns = ["#epoch", "created (UTC)", "#hashes", "#octets", "encoding", "#threshold", "state"]
    show_table(columns, ([value for key, value in row.items() if key != "digest"] for row in listed))


def inspect(
    number: Annotated[int, _NUMBER],
    *,
    data: Data = DEFAULT_DATA,
    keys: Keys = None,
    passphrase_file: PassphraseFile = None,
    verify: Annotated[bool, typer.Option("--verify", help="Read the whole table and check every octet.")] = False,
    with_key: Annotated[
        bool, typer.Option("--with-key", help="With --verify: open the key file too; asks for the passphrase.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show an epoch's signed manifest, and check its files.

    \b
    Example: tpsi-server inspect 1 --verify
    """
    folder = folder_of(data, keys)
    with open_store(folder) as store:
        inspection = inspect_epoch(folder, store, number)
        found: list[str] = []
        if verify:
            ring = KeyRing(folder.keys, passphrase(passphrase_file)) if with_key else None
            with watching() as progress:
                found = verify_epoch(inspection, store, ring, progress)
    facts = inspection.to_dict()
    if as_json:
        show_json({**facts, "verified": found} if verify else facts)
        return
    facts["created"], facts["retired"] = moment(facts["created"]), moment(facts["retired"]) or "no"
    facts["sources"] = ", ".join(f"{name} ({count})" for name, count in facts["sources"].items())
    width = max(map(len, facts))
    for key, value in facts.items():
        text = ", ".join(value) if isinstance(value, list) else "none" if value is None else value
        show(f"{key.replace('_', ' '):{width}}  {text}")
    show(*(f"verified: {finding}" for finding in found))


def retire(
    number: Annotated[int, _NUMBER],
    *,
    data: Data = DEFAULT_DATA,
    keys: Keys = None,
    destroy_key: Annotated[
        bool,
        typer.Option("--destroy-key", help="Delete the epoch's secrets: nobody can match vouchers of it any more."),
    ] = False,
    yes: Yes = False,
) -> None:
    """Take an epoch out of force.

    Its table is no longer served, and no vouchers are taken for it. Devices that sealed under it and have not
    uploaded lose these vouchers, since they never seal a picture again by themselves: wait until nothing comes in
    for it. Without a newer epoch, devices find no table at all: they refuse to step back to an older one.

    \b
    Example: tpsi-server retire 1
    """
    folder = folder_of(data, keys)
    with open_store(folder) as store:
        confirm(f"Retire epoch {number}{' and destroy its key' if destroy_key else ''}?", yes=yes)
        retire_epoch(folder, store, number, time.time(), destroy_key=destroy_key)
        left = [record.number for record in store.epochs.all() if record.retired is None]
    show(f"epoch {number} is retired")
    if not left or max(left) < number:
        say("note: it was the newest: devices find no table until you build the next epoch")


def _newest(folder: DataFolder, store: Store) -> Manifest | None:
    records = store.epochs.all()
    return load_manifest(folder, records[-1].number) if records else None


def _sharing(options: BuildOptions, threshold: int | None, rows: int | None, count_by: CountBy | None) -> BuildOptions:
    old = options.sharing
    sharing = Sharing(threshold or old.threshold, rows or old.rows, count_by or old.count_by)
    return replace(options, sharing=sharing)


def _probes(store: Store, before: Manifest | None, asked: int | None) -> Probes | None:
    """The number of probes, if it is not as before: what is asked for, or for a first table what its hashes need."""
    if asked is not None:
        return Probes(asked)
    if before is not None or not any(store.lists.count(f"dct{bits}") for bits in DCT_BITS):
        return None
    say(
        f"note: re-encoded copies differ in some bits of the list's hashes, so devices make {USUAL_PROBES} probes "
        "(--probes); their owners enrol with --trust-separation, or with auditors who sign that the list is separated"
    )
    return Probes(USUAL_PROBES)


def _synthetic(old: Synthetic, mode: SyntheticMode | None, per_million: int | None) -> Synthetic:
    """The parameters of synthetic vouchers; a rate of 0 and the mode `none` imply each other."""
    if per_million == 0 or (mode is SyntheticMode.NONE and per_million is None):
        if mode not in (None, SyntheticMode.NONE):
            raise typer.BadParameter("a rate of 0 goes with the mode none", param_hint="--synthetic-per-million")
        return Synthetic(SyntheticMode.NONE, 0)
    fresh = old if old.mode is not SyntheticMode.NONE else Synthetic()
    return Synthetic(mode or fresh.mode, per_million or fresh.per_million)


def _summary(folder: DataFolder, store: Store, number: int) -> dict[str, Any]:
    """A line of the list of epochs; what is wrong with one that cannot be read."""
    try:
        inspection = inspect_epoch(folder, store, number)
    except TpsiError as error:
        unknown = dict.fromkeys(("created", "items", "octets", "encoding", "threshold"))
        return {"epoch": number, **unknown, "state": str(error), "digest": None}
    manifest = inspection.epoch.manifest
    return {
        "epoch": number,
        "created": moment(manifest.created),
        "items": manifest.items,
        "octets": manifest.table_bytes,
        "encoding": manifest.encoding,
        "threshold": manifest.sharing.threshold,
        "state": "retired" if inspection.epoch.retired else "in force",
        "digest": manifest.digest.hex(),
    }
