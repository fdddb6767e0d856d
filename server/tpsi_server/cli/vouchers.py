"""Verbs for vouchers: `ingest` from files, `match` what waits."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tpsi_server.bundle import read_bundle
from tpsi_server.cli.options import DEFAULT_DATA, AsJson, Data, Keys, PassphraseFile, folder_of, open_store
from tpsi_server.cli.terminal import moment, say, show, show_json, show_table, watching
from tpsi_server.errors import OperatorError
from tpsi_server.ingest import MAX_BATCH, Outcome
from tpsi_server.passphrase import passphrase
from tpsi_server.runtime import Runtime

#: Octets of vouchers that are handed over together.
_BATCH_OCTETS = 8 << 20


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(ingest)
    app.command()(match)
    app.command("set-aside")(set_aside)


def ingest(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="Files of vouchers (`tpsi-device export`)."),
    ],
    *,
    account: Annotated[str, typer.Option("--account", metavar="NAME", help="The account that the vouchers are of.")],
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Take in vouchers that came in files.

    They may have come by any way but the network service. Whoever hands them over vouches for the account: a
    voucher that was sealed for another one opens nothing. A voucher that is here already counts as stored. The exit
    status is 1 if any was refused.

    \b
    Example: tpsi-server ingest vouchers.bin --account alice
    """
    counts: Counter[str] = Counter()
    with Runtime(folder_of(data)) as runtime:
        for file in files:
            for batch in _batches(file):
                counts.update(_word(outcome) for outcome in runtime.ingest.ingest(account, batch))
    taken = {name: counts.pop(name, 0) for name in ("stored", "already")}
    if as_json:
        show_json({**taken, "refused": counts})
    else:
        show(f"stored {taken['stored']} vouchers, {taken['already']} were here already")
    if counts:
        reasons = ", ".join(f"{name} {count}" for name, count in counts.most_common())
        raise OperatorError(f"{counts.total()} vouchers were refused: {reasons}")


def match(
    *,
    data: Data = DEFAULT_DATA,
    keys: Keys = None,
    passphrase_file: PassphraseFile = None,
    workers: Annotated[
        int,
        typer.Option("--workers", metavar="N", min=0, max=64, help="Processes that match; 0 matches in this one."),
    ] = 1,
    retry: Annotated[bool, typer.Option("--retry", help="Try those again too that were set aside.")] = False,
    as_json: AsJson = False,
) -> None:
    """Match all vouchers that wait, and end.

    Accounts that have changed are examined, and what is past its period is forgotten (`tpsi-server retention`). A
    server that is running does so by itself, unless it was started with --no-match. Both may go on at the same time.

    \b
    Example: tpsi-server match
    """
    folder = folder_of(data, keys)
    folder.identity()
    secret = passphrase(passphrase_file)
    with Runtime(folder, secret, workers=workers) as runtime, watching() as progress:
        if retry:
            runtime.store.matches.retry_failed()
        total = runtime.store.vouchers.count_waiting()
        tally = runtime.match_all(lambda tally: progress("matching", tally.vouchers, total))
        left = runtime.store.vouchers.count_waiting()
    if as_json:
        show_json({**asdict(tally), "waiting": left})
    else:
        show(
            f"matched {tally.matched}, did not match {tally.unmatched}, set aside {tally.failed}",
            f"examined {tally.examined} pools, newly revealed {tally.revealed} vouchers",
        )
    if left:
        say(f"note: {left} vouchers wait: they came in just now, others work on them, or their epoch's key is missing")


def set_aside(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """List vouchers that could not be matched.

    Whoever worked on them did not come back, several times. They keep their content, unless `retention set
    --set-aside` says otherwise, and their accounts are flagged `failed`. Once the cause is gone, `match --retry` tries
    them again.

    \b
    Example: tpsi-server set-aside
    """
    with open_store(folder_of(data)) as store:
        found = store.vouchers.set_aside()
    rows = [{**asdict(one), "voucher_id": one.voucher_id.hex()} for one in found]
    if as_json:
        show_json(rows)
        return
    if not rows:
        show("no voucher is set aside")
        return
    columns = ["account", "voucher", "#epoch", "received (UTC)", "#octets"]
    show_table(columns, ([*list(row.values())[:3], moment(row["received"]), row["octets"]] for row in rows))


def _batches(file: Path) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    octets = 0
    with file.open("rb") as opened:
        for voucher in read_bundle(opened):
            batch.append(voucher)
            octets += len(voucher)
            if len(batch) == MAX_BATCH or octets >= _BATCH_OCTETS:
                yield batch
                batch, octets = [], 0
    if batch:
        yield batch


def _word(outcome: Outcome) -> str:
    if outcome.reason is not None:
        return outcome.reason.value
    return "already" if outcome.already else "stored"
