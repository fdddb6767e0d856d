"""The verb `serve`."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer

from tpsi_server.cli.options import DEFAULT_DATA, Data, Keys, PassphraseFile, folder_of
from tpsi_server.config import ANSWER_AFTER, DEFAULT_PORT, MAX_ANSWER_AFTER, ServeSettings, TlsOptions
from tpsi_server.logs import LogForm, log_to_stderr
from tpsi_server.passphrase import passphrase
from tpsi_server.service import run


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(serve)


def serve(
    *,
    data: Data = DEFAULT_DATA,
    keys: Keys = None,
    passphrase_file: PassphraseFile = None,
    host: Annotated[
        str,
        typer.Option("--host", metavar="HOST", help="Listen on this address; 0.0.0.0 is all that the machine has."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65_535, help="Listen on this port; 0 takes a free one.")
    ] = DEFAULT_PORT,
    port_file: Annotated[
        Path | None,
        typer.Option("--port-file", metavar="FILE", help="Write the port to FILE when calls are taken, for programs."),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            "--workers",
            metavar="N",
            min=0,
            max=64,
            help="Processes that match, at the lowest priority; 0 matches "
            "in this one, and devices can see more from the time of its answers.",
        ),
    ] = 1,
    matching: Annotated[
        bool,
        typer.Option(
            "--match/--no-match",
            help="Match vouchers as they come. With --no-match they wait for `tpsi-server match`, which a timer starts "
            "here or on a replica: outside of its runs no answer takes longer for what matched.",
        ),
    ] = True,
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", metavar="FILE", help="A TLS certificate with its chain, in PEM."),
    ] = None,
    private_key: Annotated[
        Path | None, typer.Option("--private-key", metavar="FILE", help="The private key of --certificate, in PEM.")
    ] = None,
    tls_name: Annotated[
        list[str] | None,
        typer.Option(
            "--tls-name",
            metavar="NAME",
            help="A host name or address that devices reach the server by, for the certificate that it makes "
            "itself. May be given several times.",
        ),
    ] = None,
    certificate_port: Annotated[
        int | None,
        typer.Option(
            "--certificate-port",
            metavar="N",
            min=0,
            max=65_535,
            help="Listen on this port, too, for clients that show certificates (`tpsi-server certificate add`).",
        ),
    ] = None,
    plaintext: Annotated[
        bool, typer.Option("--plaintext", help="No TLS: behind a proxy on this machine, or for a test.")
    ] = False,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            "--metrics-port",
            metavar="N",
            min=0,
            max=65_535,
            help="Serve metrics for Prometheus on this port (plain HTTP).",
        ),
    ] = None,
    metrics_host: Annotated[
        str,
        typer.Option(
            "--metrics-host",
            metavar="HOST",
            help="Serve metrics on this address. Keep them from those who send vouchers: they tell when one opens.",
        ),
    ] = "127.0.0.1",
    answer_after: Annotated[
        float,
        typer.Option(
            "--answer-after",
            metavar="SECONDS",
            min=0.0,
            max=MAX_ANSWER_AFTER,
            help="Acknowledge a batch no sooner than so long after it came, so that the time does not tell what the "
            "store does besides, such as writing down matches.",
        ),
    ] = ANSWER_AFTER,
    log_format: Annotated[
        LogForm, typer.Option("--log-format", help="Log lines for people, or JSON for programs.")
    ] = LogForm.TEXT,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Serve tables, take vouchers and match them.

    It goes on until told to stop (Ctrl-C, SIGTERM). Without --certificate the server makes itself a development CA,
    whose certificate is in the enrolment files that it writes: devices trust that and nothing else. A certificate
    is replaced in a running server: change its files, or send SIGHUP.

    \b
    Example: tpsi-server serve --port 50051
    """
    log_to_stderr(logging.DEBUG if verbose else logging.INFO, log_format)
    tls = TlsOptions(certificate, private_key, tuple(tls_name or ()), disabled=plaintext)
    folder = folder_of(data, keys)
    folder.identity()  # that there is one is known before anybody is asked for a passphrase
    secret = passphrase(passphrase_file)
    metrics = None if metrics_port is None else (metrics_host, metrics_port)
    settings = ServeSettings(
        folder,
        secret,
        host,
        port,
        port_file,
        workers,
        tls,
        certificate_port=certificate_port,
        metrics=metrics,
        answer_after=answer_after,
        matching=matching,
    )
    raise typer.Exit(asyncio.run(run(settings)))
