"""Importing a hash list: from a file into the store, all of it or nothing."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tpsi import Source, TpsiError
from tpsi.audit import ListSignature
from tpsi.errors import CallerError
from tpsi.items import DIGEST_SIZES
from tpsi.table import Progress
from tpsi_server.companions import read_companions
from tpsi_server.epochs import CANARY_SOURCE
from tpsi_server.errors import OperatorError
from tpsi_server.lists import Addition, Categories, Deletion, ImportReport, ListReader, open_list
from tpsi_server.lists.kinds import Kinds
from tpsi_server.store import Imported, Spool, Store

#: Records between two reports of progress.
_STEP = 2048


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to read a list file, as `open_list` takes it.

    `replace`: what the source named before is forgotten. `strict`: with a single faulty line nothing is taken.
    `signature`: the source's, under all that it names after the import.
    """

    form: str = "auto"
    default_type: str | None = None
    categories: Categories | None = None
    replace: bool = False
    strict: bool = False
    signature: ListSignature | None = None


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What was read, and what it changed. `notes` are sentences about the file as a whole."""

    form: str
    report: ImportReport
    notes: tuple[str, ...]
    imported: Imported


def import_list(
    store: Store,
    path: Path,
    source: str,
    options: ImportOptions,
    *,
    progress: Progress = lambda _stage, _done, _total: None,
    clock: Callable[[], float] = time.time,
) -> ImportResult:
    """Read a file, and apply its additions and deletions to a source in one transaction.

    Raises ListFileError if the file cannot be read to its end, CallerError for an unusable name of the source,
    OperatorError if the file has nothing that can be taken, or, if `strict`, anything that cannot.
    """
    _check_name(source)
    with Spool() as spool:
        with open_list(
            path, format=options.form, default_type=options.default_type, categories=options.categories
        ) as reader:
            report = _read(reader, spool, progress)
            notes, form = (*reader.notes, *_unknown(options.default_type)), str(reader.format)
        _check(path, report, options)
        changes = report.additions + report.deletions
        imported = store.lists.apply(
            source,
            spool,
            replace=options.replace,
            file=path.name,
            form=form,
            report=report.to_dict(),
            now=clock(),
            applied=lambda done: progress("storing", done, changes),
            signature=options.signature,
        )
    return ImportResult(form, report, notes, imported)


@dataclass(frozen=True, slots=True)
class CompanionsTaken:
    """What an import with companions changed: the list of its source, and how many companions are new."""

    imported: Imported
    companions: int


def import_with_companions(
    store: Store,
    path: Path,
    source: str,
    options: ImportOptions,
    radius: int | None = None,
    *,
    progress: Progress = lambda _stage, _done, _total: None,
    clock: Callable[[], float] = time.time,
) -> CompanionsTaken:
    """Read a file of listed hashes with companions (`read_companions`), and take in both.

    If the list is refused after all (its signature is another's), companions stay: without the list they do nothing.
    Raises OperatorError for a file that is not such a one from its first row to its last.
    """
    _check_name(source)
    report = ImportReport()
    types: set[str] = set()
    with Spool() as spool:
        for count, row in enumerate(read_companions(path, options.default_type)):
            record = Addition(row.item, count + 2)
            report.count(record)
            spool.add(record)
            types |= {row.companion.type} if row.companion else set()
            if count % _STEP == 0:
                progress("reading", count, 0)
        _check(path, report, options)
        # companions first: without the list they do nothing, and a list without them would hold nothing back
        radii = dict.fromkeys(types, radius) if radius is not None else {}
        new = store.companions.add(lambda: read_companions(path, options.default_type), radii)
        imported = store.lists.apply(
            source,
            spool,
            replace=options.replace,
            file=path.name,
            form="companions",
            report=report.to_dict(),
            now=clock(),
            applied=lambda done: progress("storing", done, report.additions),
            signature=options.signature,
        )
    return CompanionsTaken(imported, new)


def _read(reader: ListReader, spool: Spool, progress: Progress) -> ImportReport:
    report = ImportReport()
    for count, record in enumerate(reader):
        report.count(record)
        if isinstance(record, Addition | Deletion):
            spool.add(record)
        if count % _STEP == 0:
            progress("reading", reader.position, reader.size or 0)
    return report


def _unknown(label: str | None) -> list[str]:
    """What is to be said of a type of hash that no program here computes."""
    if label is None or Kinds(label).default_type in DIGEST_SIZES:
        return []
    return [
        f"tpsi has no hash type {label!r}: only an application that brings such hashes itself can match them; "
        f"known are {', '.join(sorted(DIGEST_SIZES))}"
    ]


def _check(path: Path, report: ImportReport, options: ImportOptions) -> None:
    refused = report.refused.total()
    if options.strict and refused:
        first = f"the first: {report.refusals[0]}" if report.refusals else ""
        raise OperatorError(f"{path} has {refused} faulty entries, nothing was imported; {first}")
    if not report.additions and not report.deletions:
        seen = f"{report.ignored.total()} entries were ignored, {refused} refused"
        first = f", the first: {report.refusals[0]}" if report.refusals else ""
        raise OperatorError(f"{path} has no hash that can be taken ({seen}{first}); is --format or --type wrong?")


def _check_name(source: str) -> None:
    if source == CANARY_SOURCE:
        raise OperatorError(f"the source {CANARY_SOURCE!r} is the server's own: choose another name")
    try:
        Source(source, 0)
    except TpsiError as error:
        raise CallerError(f"the source cannot be called {source!r}: {error}") from None
