"""The verbs of `tpsi-device` for every day: join, fetch, scan, upload."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from tpsi.voucher import MAX_SIZE_CLASS
from tpsi_client.cli import keeping, words
from tpsi_client.cli.frame import Version
from tpsi_client.cli.options import (
    Auditors,
    AuditorsNeeded,
    Home,
    LeastSynthetic,
    LowestThreshold,
    Mirrored,
    Modes,
    OriginalsFolder,
    TrustSeparation,
    Types,
    Videos,
    auditors,
    split,
)
from tpsi_client.cli.options import modes as read_modes
from tpsi_client.cli.terminal import show, watching
from tpsi_client.configuration import DEFAULT_SIZE_CLASS
from tpsi_client.enrolling import Choices
from tpsi_client.enrolment import Enrolment
from tpsi_client.sync import Device

app = typer.Typer(
    name="tpsi-device",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="""Seal your pictures against a list of hashes without showing them.

    The server learns nothing about any of your pictures unless more of them than the threshold are on its list,
    and then only those. You learn nothing about the list.

    \b
    A first session:
      tpsi-device enrol alice.json    join with the file that the list's operator gave you
      tpsi-device scan ~/Pictures     hash and seal; needs no network
      tpsi-device upload              send what is sealed
      tpsi-device status              see where things stand

    The device lives in a folder of its own: --home, or $TPSI_HOME. It holds your secrets, and the
    memory of what was sealed, which must not get lost: keep it private, and back it up as a whole.
    """,
)


@app.callback()
def _common(*, _version: Version = False) -> None: ...


@app.command()
def enrol(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The enrolment file from the list's operator.")],
    *,
    home: Home = None,
    lowest_threshold: LowestThreshold = None,
    least_synthetic: LeastSynthetic = None,
    modes: Modes = "replace",
    auditor: Auditors = None,
    auditors_needed: AuditorsNeeded = None,
    trust_separation: TrustSeparation = None,
    size_class: Annotated[
        int,
        typer.Option(
            "--size-class",
            metavar="N",
            min=0,
            max=MAX_SIZE_CLASS,
            help="Size of every voucher's sealed content: 0 nothing, 7 512 octets, 13 4096 (a small picture), 15 8192. "
            "Larger ones show a reviewer more, if there is ever a reveal.",
        ),
    ] = DEFAULT_SIZE_CLASS,
) -> None:
    """Join a list with the operator's file.

    Checks server, signature, parameters and whether this device hashes as the list's makers do; then fetches the
    table. What you don't decide with an option is pinned as the list has it now, so that it can't be lowered later
    without you. With a new file for the same account, address and token are renewed and all else stays.

    \b
    Example: tpsi-device enrol alice.json
    """
    enrolment = Enrolment.read(file)
    choices = Choices(
        lowest_threshold,
        least_synthetic,
        read_modes(modes),
        size_class,
        auditor_keys=auditors(auditor),
        auditors_needed=auditors_needed,
        trusts_separation=bool(trust_separation),
    )
    with Device.enrol(home, enrolment, choices, fetch=False) as device:
        if device.enrolled is not None:
            show(words.enrolled(device.enrolled, enrolment.account, enrolment.endpoint.address))
        _fetch(device)
    show(["Next: tpsi-device scan DIR, then tpsi-device upload"])


@app.command()
def fetch(*, home: Home = None) -> None:
    """Bring the list's newest table here.

    Signature, chain of epochs and every chunk are verified; an interrupted fetch goes on where it ended. A list
    that steps back, forks, or asks for less than you pinned is refused, and the device stays with the table that it
    has. Pictures that were sealed are not sealed again.

    \b
    Example: tpsi-device fetch
    """
    with Device.open(home) as device:
        _fetch(device)


@app.command()
def scan(
    path: Annotated[Path, typer.Argument(metavar="DIR", exists=True, help="A folder of pictures, or one file.")],
    *,
    home: Home = None,
    types: Types = "",
    mirrored: Mirrored = False,
    videos: Videos = False,
    originals: OriginalsFolder = None,
) -> None:
    """Hash and seal pictures; needs no network.

    Files that were sealed by an earlier scan and did not change are passed over. A copy of a picture gets an empty
    voucher that looks like any other, so that copies never count twice. Files that can't be read as a picture are
    listed. If the list holds several hash types, a picture gets a voucher for each, and counts for each.

    \b
    Example: tpsi-device scan ~/Pictures
    """
    with Device.open(home) as device:
        _scan(device, path, split(types), originals, mirrored=mirrored, videos=videos)


@app.command()
def upload(
    *,
    home: Home = None,
    again: Annotated[bool, typer.Option("--again", help="Also send vouchers that the server refused before.")] = False,
) -> None:
    """Send what is sealed.

    A voucher stays queued until the server says that it is durable there. Interrupt and repeat it as you like:
    nothing is lost, and nothing counts twice.

    \b
    Example: tpsi-device upload
    """
    with Device.open(home) as device:
        _upload(device, again=again)


@app.command()
def sync(
    path: Annotated[Path, typer.Argument(metavar="DIR", exists=True, help="A folder of pictures, or one file.")],
    *,
    home: Home = None,
    types: Types = "",
    mirrored: Mirrored = False,
    videos: Videos = False,
) -> None:
    """Fetch, scan and upload, one after the other.

    \b
    Example: tpsi-device sync ~/Pictures
    """
    with Device.open(home) as device:
        _fetch(device)
        _scan(device, path, split(types), None, mirrored=mirrored, videos=videos)
        _upload(device)


def _fetch(device: Device) -> None:
    with watching(octets=True) as progress:
        report = device.fetch(progress=progress)
    show(words.fetched(report))


def _scan(
    device: Device, path: Path, types: Iterable[str], originals: Path | None, *, mirrored: bool, videos: bool
) -> None:
    chosen = tuple(types)
    with watching() as progress:
        if path.is_dir():
            report = device.scan(
                path, types=chosen, mirrored=mirrored, videos=videos, originals=originals, progress=progress
            )
        else:
            report = device.seal_files([path], types=chosen, mirrored=mirrored, originals=originals, progress=progress)
    show(words.scanned(report))


def _upload(device: Device, *, again: bool = False) -> None:
    with watching() as progress:
        report = device.upload(progress=progress, again=again)
    show(words.uploaded(report))
    if report.refused:
        raise typer.Exit(1)


keeping.add_to(app)
