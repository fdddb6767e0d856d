"""The verbs that look after a device: status, rescan, pins, and the way of vouchers through files."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tpsi_client.cli import words
from tpsi_client.cli.options import (
    Auditors,
    AuditorsNeeded,
    Home,
    LeastSynthetic,
    LowestThreshold,
    Modes,
    TrustSeparation,
    auditors,
)
from tpsi_client.cli.options import modes as read_modes
from tpsi_client.cli.terminal import show, watching
from tpsi_client.doctor import Finding, Level, examine_device
from tpsi_client.files import write_whole
from tpsi_client.home import default_home
from tpsi_client.sync import Device


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this file."""
    for verb in (status, rescan, export, delivered, pin, checkpoint, absent, doctor):
        app.command()(verb)


def status(
    *,
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object.")] = False,
) -> None:
    """Show the list and how many vouchers are where.

    Works while another command is running.

    \b
    Example: tpsi-device status
    """
    with Device.open(home, read_only=True) as device:
        state = device.status()
    show([json.dumps(state.as_json(), indent=2)] if as_json else words.status(state))


def doctor(
    *,
    home: Home = None,
    offline: Annotated[bool, typer.Option("--offline", help="Leave the server alone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: a list of JSON objects.")] = False,
) -> None:
    """Look at everything, say what is wrong and what to do.

    The folder and its permissions, outbox, table and hashing, disk, clock, certificate, and the way to the server.
    Nothing is changed, sealed or sent. Exit status 1 if something is wrong.

    \b
    Example: tpsi-device doctor
    """
    findings = asyncio.run(_examined(default_home() if home is None else home, online=not offline))
    if as_json:
        show([json.dumps([finding.as_json() for finding in findings], indent=2)])
    else:
        show(line for finding in findings for line in words.finding(finding))
    raise typer.Exit(int(any(finding.level is Level.FAULT for finding in findings)))


async def _examined(home: Path, *, online: bool) -> list[Finding]:
    return [finding async for finding in examine_device(home, online=online)]


def rescan(
    *,
    home: Home = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
) -> None:
    """Let the next scan seal all pictures afresh.

    The price: the server sees a second sample of how many of your vouchers open, which tells it more about the
    number of matches than one; and whoever matches is counted again, from zero. The new vouchers can't be linked to
    the old ones otherwise. Vouchers that wait in the queue are dropped.

    Do it if vouchers were refused because the list went on, or if this folder was restored from an old backup.

    \b
    Example: tpsi-device rescan
    """
    if not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter("rescan asks before it does anything; pass --yes if you are sure")
        show(
            [
                "The next scan will seal all pictures afresh. The server then sees a second sample of how many of your "
                "vouchers open, which tells it more about your number of matches. Queued vouchers are dropped."
            ]
        )
        typer.confirm("Go on?", abort=True)
    with Device.open(home) as device:
        device.rescan()
    show(["A new generation has begun. Next: tpsi-device scan DIR"])


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")],
    *,
    home: Home = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also write queued vouchers that an earlier export wrote.")
    ] = False,
) -> None:
    """Write queued vouchers to a file.

    For another way to the server (there: tpsi-server ingest). They stay queued here until you say `tpsi-device
    delivered FILE`, or upload them after all.

    \b
    Example: tpsi-device export vouchers.bin
    """
    with Device.open(home) as device:
        number = device.export(file, again=again)
    if not number:
        show(["Nothing to export; no file was made."])
        return
    show([f"{words.count(number, 'voucher')} written to {file}. When they have arrived: tpsi-device delivered {file}"])


def delivered(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `export` wrote, and the server took.")],
    *,
    home: Home = None,
) -> None:
    """Say that an exported file has arrived.

    Its vouchers leave the queue. Don't say it before the server has taken them: they would be lost.

    \b
    Example: tpsi-device delivered vouchers.bin
    """
    with Device.open(home) as device:
        number = device.delivered(file)
    show([f"{words.count(number, 'voucher')} taken for delivered."])


def checkpoint(
    *,
    home: Home = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write it to a new FILE instead of the terminal.")
    ] = None,
) -> None:
    """Show the server's log as this device saw it last.

    The server has signed it. It says nothing about you or your pictures. Give it to whoever audits the list, or
    compare it with what other devices have: `tpsi-audit watch FILE FILE...` finds out if the server showed you
    different histories.

    \b
    Example: tpsi-device checkpoint --to alice.checkpoint
    """
    with Device.open(home, read_only=True) as device:
        signed = device.checkpoint()
    if to is None:
        show([signed.encode().decode().rstrip("\n")])
        return
    write_whole(to, signed.encode(), replace=False)
    show([f"The log with {signed.checkpoint.size} entries, as this device saw it, is written to {to}."])


def absent(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="What the list's operator published.")
    ],
    *,
    home: Home = None,
) -> None:
    """Check published negatives.

    None of the named hashes is to be in the table that this device uses.

    \b
    Example: tpsi-device absent absent.txt
    """
    with Device.open(home, read_only=True) as device, watching() as progress:
        count = device.verify_absences(file, progress=progress)
    show([f"None of the {words.count(count, 'named hash', 'named hashes')} is in the table."])


def pin(
    *,
    home: Home = None,
    lowest_threshold: LowestThreshold = None,
    least_synthetic: LeastSynthetic = None,
    modes: Modes = "",
    auditor: Auditors = None,
    auditors_needed: AuditorsNeeded = None,
    trust_separation: TrustSeparation = None,
) -> None:
    """Change what this device accepts of its list.

    Lower values let a reveal happen sooner, or let the server count your matches better. Auditors that you name
    take the place of those before.

    \b
    Example: tpsi-device pin --lowest-threshold 30 --auditor auditor.key.pub
    """
    numbers = (lowest_threshold, least_synthetic, auditors_needed, trust_separation)
    if all(number is None for number in numbers) and not modes and not auditor:
        raise typer.BadParameter(
            "name at least one of --lowest-threshold, --least-synthetic, --modes, --auditor, --auditors-needed and "
            "--trust-separation"
        )
    with Device.open(home) as device:
        pins = device.pin(
            lowest_threshold=lowest_threshold,
            least_synthetic=least_synthetic,
            modes=read_modes(modes) if modes else None,
            auditor_keys=auditors(auditor),
            auditors_needed=auditors_needed,
            trusts_separation=trust_separation,
        )
    accepted = tuple(mode.value for mode in pins.modes)
    show([f"Pinned: {words.demands(pins.lowest_threshold, pins.least_synthetic, accepted)}."])
    show([f"Auditors: {words.auditors(tuple(key.hex() for key in pins.auditor_keys), pins.auditor_quorum)}."])
