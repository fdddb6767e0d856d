"""The verb `doctor`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from tpsi_server.cli.options import DEFAULT_DATA, AsJson, Data, Keys, PassphraseFile, folder_of
from tpsi_server.cli.terminal import show, show_json
from tpsi_server.config import DEFAULT_PORT, TlsOptions
from tpsi_server.doctor import Finding, Level, examine_server
from tpsi_server.passphrase import ENVIRONMENT, passphrase

_MARKS = {Level.GOOD: "ok   ", Level.NOTE: "note ", Level.FAULT: "FAULT"}


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(doctor)


def doctor(
    *,
    data: Data = DEFAULT_DATA,
    keys: Keys = None,
    passphrase_file: PassphraseFile = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", metavar="FILE", help="The certificate that `serve` is given.")
    ] = None,
    private_key: Annotated[
        Path | None, typer.Option("--private-key", metavar="FILE", help="The private key that `serve` is given.")
    ] = None,
    host: Annotated[
        str, typer.Option("--host", metavar="HOST", help="The address that `serve` is given.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=1, max=65_535, help="The port that `serve` is given.")
    ] = DEFAULT_PORT,
    as_json: AsJson = False,
) -> None:
    """Look at everything, say what is wrong and what to do.

    Files and permissions, keys and passphrase (if it is in a file or in TPSI_PASSPHRASE), database and its schema,
    tables and their chain, certificate, disk, clock, port, tokens. Nothing is changed; a server may run meanwhile.
    Exit status 1 if something is wrong.

    \b
    Example: tpsi-server doctor
    """
    given = passphrase_file is not None or ENVIRONMENT in os.environ
    secret = passphrase(passphrase_file) if given else None
    tls = TlsOptions(certificate, private_key)
    findings = list(examine_server(folder_of(data, keys), secret, tls=tls, host=host, port=port))
    if as_json:
        show_json([finding.as_json() for finding in findings])
    else:
        for finding in findings:
            show(*_lines(finding))
    raise typer.Exit(int(any(finding.level is Level.FAULT for finding in findings)))


def _lines(finding: Finding) -> list[str]:
    lines = [f"{_MARKS[finding.level]}  {finding.check}: {finding.says}"]
    return [*lines, f"       → {finding.do}"] if finding.do else lines
