"""The verbs for tables: `verify` one and sign its manifest, check names that are `absent` from it."""

import json
from pathlib import Path
from typing import Annotated

import typer

from tpsi import Role, sign_manifest
from tpsi.detached import DetachedSignature
from tpsi_audit.absences import verify_published
from tpsi_audit.cli.options import AsJson, PassphraseFile, ServerKey, key_of
from tpsi_audit.errors import AuditorError
from tpsi_audit.keys import ask_passphrase, load_key
from tpsi_audit.package import Package
from tpsi_audit.verifying import Report
from tpsi_audit.verifying import verify as verify_package
from tpsi_client.cli.terminal import show, watching
from tpsi_client.files import write_whole


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(verify)
    app.command()(absent)


def verify(
    package: Annotated[
        Path, typer.Argument(metavar="PACKAGE", exists=True, file_okay=False, help="The server's package.")
    ],
    *,
    lists: Annotated[
        list[Path] | None,
        typer.Option("--list", metavar="FILE", help="Your copy of the whole list, as lines of type:hex. Files add up."),
    ] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--source",
            metavar="NAME=FILE",
            help="Your copy of one source's list; for each of the manifest's sources. Checks the rule, too.",
        ),
    ] = None,
    server_key: ServerKey = None,
    source_keys: Annotated[
        list[str] | None,
        typer.Option(
            "--source-key", metavar="NAME=KEY", help="A source that must have signed its list, under this key."
        ),
    ] = None,
    sign_with: Annotated[
        Path | None,
        typer.Option("--sign-with", metavar="KEY", help="Sign with this key, if all holds; with --to."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="A new file for the signature, for the operator.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Check that a table holds exactly a list, and sign it.

    It must have room for nothing else; what is signed is its manifest. The list is yours (--list), or what the rule
    of the manifest gives from your copies of the sources' lists (--source); without either it is the server's own,
    which says less. The exit status is 0 only if all holds.

    \b
    Example: tpsi-audit verify package --list list.txt --sign-with auditor.key --to first.signature
    """
    if (sign_with is None) != (to is None):
        raise typer.BadParameter("--sign-with and --to go together")
    if lists and sources:
        raise typer.BadParameter("give whole lists with --list, or the sources' lists with --source, not both")
    opened = Package.open(package)
    key = None if sign_with is None else load_key(sign_with, ask_passphrase(passphrase_file))
    with watching() as progress:
        named = _named(sources or [])
        report = verify_package(
            opened,
            lists or (),
            named,
            server_key=key_of(server_key),
            source_keys={
                name: key_of(str(text)) or b"" for name, text in _named(source_keys or [], "--source-key").items()
            },
            progress=progress,
        )
    signed = None
    if key is not None and to is not None:
        signature = sign_manifest(opened.manifest, Role.AUDITOR, key)
        write_whole(to, DetachedSignature(opened.manifest.digest, signature).encode(), replace=False)
        signed = str(to)
    _show(report, signed, as_json=as_json)


def absent(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="What the operator published.")
    ],
    *,
    table: Annotated[
        Path,
        typer.Option(
            "--table",
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="A folder with manifest.json and table.bin: an auditor's package, or a table of a device "
            "(its folder table/MANIFEST).",
        ),
    ],
    server_key: ServerKey = None,
) -> None:
    """Check published negatives.

    None of the named hashes is to be in the table, says the operator.

    \b
    Example: tpsi-audit absent absent.txt --table package
    """
    with watching() as progress:
        manifest, count = verify_published(file, table, server_key=key_of(server_key), progress=progress)
    show([f'None of the {count} named hashes is in the table of epoch {manifest.epoch} of "{manifest.name}".'])


def _keys(texts: list[str]) -> dict[str, bytes]:
    return {name: key_of(str(value)) or b"" for name, value in _named(texts, "--source-key").items()}


def _named(texts: list[str], option: str = "--source") -> dict[str, Path]:
    found: dict[str, Path] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals or not name or not path or name in found:
            raise AuditorError(f"{option} is given as NAME=VALUE, once for each source, not {text!r}")
        found[name] = Path(path)
    return found


def _show(report: Report, signed: str | None, *, as_json: bool) -> None:
    if as_json:
        show([json.dumps({**report.as_json(), "signature": signed}, indent=2)])
        return
    show(["Established:", *(f"  - {line}" for line in report.established)])
    show(["Not established:", *(f"  - {line}" for line in report.not_established)])
    show([f"The signature is in {signed}: give it to the operator." if signed else "Nothing was signed."])
