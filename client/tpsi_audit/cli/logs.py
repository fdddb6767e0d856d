"""The verbs for a server's log: `watch` it, check the `evidence` of a fork, and `reveals` against it."""

import asyncio
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from tpsi import DecodeError
from tpsi.log import SignedCheckpoint
from tpsi.log.fork import MAX_EVIDENCE
from tpsi_audit.cli.options import ServerKey, key_of
from tpsi_audit.errors import AuditorError
from tpsi_audit.reveals import MAX_FILE as MAX_EXPORT
from tpsi_audit.reveals import Export, check_reveals
from tpsi_audit.watched import MAX_FILE as MAX_WATCHED
from tpsi_audit.watched import Watched
from tpsi_audit.watching import checkpoints, compare, compare_alone, read_log, require_fork
from tpsi_client.cli.terminal import say, show
from tpsi_client.enrolment import MAX_FILE, Enrolment
from tpsi_client.errors import ForkError, ServiceError
from tpsi_client.evidence import keep
from tpsi_client.files import alone, read_bounded, write_whole

_STATE, _WATCHED = ".checkpoint", ".watched"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(watch)
    app.command()(evidence)
    app.command()(reveals)


def watch(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Access files from the operator (`tpsi-server account token --role auditor --enrolment FILE`), and "
            "checkpoints that others have seen (`tpsi-device checkpoint --to FILE`).",
        ),
    ],
    *,
    server_key: ServerKey = None,
    every: Annotated[
        float | None, typer.Option("--every", metavar="SECONDS", min=1, help="Go on, and look again so often.")
    ] = None,
    evidence: Annotated[
        Path, typer.Option("--evidence", metavar="DIR", help="Where to put the evidence, if there is a fork.")
    ] = Path(),
) -> None:
    """Check the server's log, and compare it.

    It is compared with what you saw before and with what others have seen. What was seen is kept beside each access
    file (FILE.checkpoint, and FILE.watched), and the next time only what is new is read. If the server has shown two
    histories, the exit status is 1 and the evidence is in a file that convinces whoever knows the server's key.

    \b
    Example: tpsi-audit watch access.json alice.checkpoint
    """
    access, seen = _sort(files)
    if not access and server_key is None:
        raise typer.BadParameter("without an access file, name the server's key", param_hint="--server-key")
    while True:
        try:
            if access:
                _look(access, checkpoints(seen), key_of(server_key))
            else:
                show(compare_alone(key_of(server_key) or b"", checkpoints(seen)))
        except ForkError as error:
            path = keep(evidence, error.fork)
            say(f"FORK: {error}")
            show([f"The evidence is in {path}"])
            raise typer.Exit(1) from None
        except ServiceError as error:
            if every is None:
                raise
            say(f"note: {error}")
        if every is None:
            return
        time.sleep(every)


def evidence(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The evidence file.")],
    *,
    server_key: ServerKey = None,
) -> None:
    """Check the evidence of a fork.

    Does it prove that the holder of a key signed two histories? It needs nothing but the file and the server's key.
    The exit status is 0 if it proves that.

    \b
    Example: tpsi-audit evidence fork-3.json --server-key KEY
    """
    show(require_fork(read_bounded(file, MAX_EVIDENCE, "evidence"), key_of(server_key)))
    if server_key is None:
        show(["Is this the server's key? It is the one that devices pin (`server_key` in an enrolment file)."])


def reveals(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="What `tpsi-server audit reveals` wrote."),
    ],
    *,
    access: Annotated[
        Path,
        typer.Option("--access", metavar="FILE", exists=True, dir_okay=False, help="Your access file for the server."),
    ],
) -> None:
    """Check that each reveal is in the server's log.

    The server commits to every one there, if it tells accounts of reveals. It shows what the server's own records
    say. A server that looked at shares without writing that down anywhere is not found out by this, nor by anything
    else that a server shows.

    \b
    Example: tpsi-audit reveals reveals.json --access access.json
    """
    export = Export.decode(read_bounded(file, MAX_EXPORT, "export of reveals"))
    reading = asyncio.run(read_log(Enrolment.read(access), keep_commitments=True))
    show([*reading.lines(), *check_reveals(export, reading)])


def _sort(files: list[Path]) -> tuple[dict[Path, Enrolment], list[tuple[str, bytes]]]:
    """Access files, which are JSON, and checkpoints, which are not."""
    access: dict[Path, Enrolment] = {}
    seen: list[tuple[str, bytes]] = []
    for path in files:
        data = read_bounded(path, MAX_FILE, "file")
        if data.lstrip().startswith(b"{"):
            access[path] = Enrolment.decode(data)
        else:
            seen.append((path.name, data))
    return access, seen


def _look(access: dict[Path, Enrolment], seen: dict[str, SignedCheckpoint], key: bytes | None) -> None:
    """Read what is new of every log, compare it with everything, and keep what it is now."""
    with ExitStack() as stack:
        for path in sorted(access):
            stack.enter_context(alone(_beside(path, ".lock")))
        readings = {path: asyncio.run(read_log(enrolment, _kept(path))) for path, enrolment in access.items()}
        for path, reading in readings.items():
            if key is not None and reading.enrolment.server_key != key:
                raise AuditorError(f"{path} is for a server with another key")
            others = {f"whoever uses {other.name}": r.signed for other, r in readings.items() if other != path}
            state = _beside(path, _STATE)
            if state.exists():
                others["this program, before,"] = SignedCheckpoint.decode(read_bounded(state, 1024, "checkpoint"))
            compared = asyncio.run(compare(reading, seen | _no_longer(reading.size, others)))
            show([*reading.lines(), *compared])
            write_whole(_beside(path, _WATCHED), reading.watched.encode())
            write_whole(state, reading.signed.encode())


def _kept(access: Path) -> Watched | None:
    """What the look before has kept, if it is of use."""
    path = _beside(access, _WATCHED)
    if not path.exists():
        return None
    try:
        return Watched.decode(read_bounded(path, MAX_WATCHED, "state"))
    except DecodeError as error:
        say(f"note: {path}: {error}; the whole log is read again")
        return None


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _no_longer(size: int, seen: dict[str, SignedCheckpoint]) -> dict[str, SignedCheckpoint]:
    """Another reading a moment later may be longer, and is compared the other way round."""
    return {who: one for who, one in seen.items() if one.checkpoint.size <= size or who.startswith("this program")}
