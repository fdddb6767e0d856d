"""Verbs for hash lists: `list import`, `list sources`, `list report`, `list remove`."""

from pathlib import Path
from typing import Annotated

import typer

from tpsi.audit import ListSignature
from tpsi.audit.sources import MAX_SIZE
from tpsi_server.cli.options import DEFAULT_DATA, AsJson, Data, Yes, confirm, folder_of, open_store, public_key_of
from tpsi_server.cli.terminal import moment, say, show, show_json, show_table, watching
from tpsi_server.errors import OperatorError
from tpsi_server.files import read_bounded
from tpsi_server.importing import ImportOptions, ImportResult, import_list, import_with_companions
from tpsi_server.lists import Categories, ListFormat, merge

_lists = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Hash lists: import, look at, remove.")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.add_typer(_lists, name="list")


@_lists.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The list.")],
    *,
    source: Annotated[
        str, typer.Option("--source", metavar="NAME", help="Who the list is from. Files of one source add up.")
    ],
    data: Data = DEFAULT_DATA,
    form: Annotated[
        str,
        typer.Option("--format", metavar="FORMAT", help=f"auto, or one of {', '.join(ListFormat)}."),
    ] = "auto",
    default_type: Annotated[
        str | None,
        typer.Option("--type", metavar="TYPE", help="The type of hashes for which the list names none."),
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(
            "--category",
            metavar="N",
            help="Project VIC only: take entries of this category, or `all`. May be given several times. "
            "By default category 1.",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="The file is all that the source names: forget what it named before.")
    ] = False,
    companions: Annotated[
        bool,
        typer.Option(
            "--companions",
            help="The file is CSV with columns hash and companion (and name), as `tpsi-server hash` writes it: the "
            "second hash is kept beside the list, and what is revealed is compared with it.",
        ),
    ] = False,
    radius: Annotated[
        int | None,
        typer.Option(
            "--radius",
            metavar="BITS",
            min=0,
            max=128,
            help="With --companions: how far a revealed picture may be from one.",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Take nothing at all if an entry is faulty.")] = False,
    signature: Annotated[
        Path | None,
        typer.Option(
            "--signature",
            metavar="FILE",
            help="The source's signature under all that it names after this import (`tpsi-audit sign-list`); goes with "
            "--source-key, and with --replace unless the source is new.",
        ),
    ] = None,
    source_key: Annotated[
        str | None,
        typer.Option("--source-key", metavar="KEY", help="The source's public key: 64 hexadecimal digits or a file."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take in a hash list.

    Formats: one hexadecimal hash a line; CSV; lines of type and hash as ThreatExchange has them; NCMEC hash-sharing
    XML, whose deletions are applied; Project VIC JSON. Faulty entries are left out and reported with their lines,
    the others are taken. An import is done as a whole or, if the file breaks off, not at all. A table that was
    built before does not change: build a new epoch.

    \b
    Example: tpsi-server list import hashes.txt --source clinic --type md5
    """
    signed = _signature(signature, source_key)
    options = ImportOptions(form, default_type, _categories(category), replace, strict, signed)
    if companions:
        _import_companions(data, file, source, options, radius, as_json=as_json)
        return
    if radius is not None:
        raise typer.BadParameter("goes with --companions", param_hint="--radius")
    with open_store(folder_of(data)) as store, watching() as progress:
        result = import_list(store, file, source, options, progress=progress)
    if as_json:
        show_json(_as_dict(source, result))
        return
    imported = result.imported
    show(f"format        {result.form}", *result.report.lines(), *(f"note: {note}" for note in result.notes))
    show(f"{source} named {imported.before} different hashes before, and names {imported.after} now")


@_lists.command()
def sources(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Show the sources, and how many different hashes each names.

    \b
    Example: tpsi-server list sources
    """
    with open_store(folder_of(data)) as store:
        records = store.lists.sources()
    if as_json:
        show_json([{"name": r.name, "hashes": r.items, "imports": r.imports, "last": r.last_import} for r in records])
        return
    rows = ([r.name, r.items, r.imports, moment(r.last_import)] for r in records)
    show_table(["source", "#hashes", "#imports", "last import (UTC)"], rows)


@_lists.command()
def report(
    *,
    data: Data = DEFAULT_DATA,
    minimum_sources: Annotated[
        int,
        typer.Option("--minimum-sources", metavar="K", min=1, help="Admit a hash if at least K sources name it."),
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Show what the sources together admit.

    What each import read and refused is there, too.

    \b
    Example: tpsi-server list report --minimum-sources 2
    """
    with open_store(folder_of(data)) as store, watching() as progress:
        names = [record.name for record in store.lists.sources()]
        if not names:
            raise OperatorError("no hash list was imported yet: run `tpsi-server list import FILE --source NAME`")
        progress("merging", 0, 1)
        with store.lists.all_items(names) as lists:
            merged = merge(lists, minimum_sources)
        imports = store.lists.imports()
    named_by = {" + ".join(sources): count for sources, count in merged.combinations().items()}
    if as_json:
        show_json(
            {
                "minimum_sources": minimum_sources,
                "admitted": len(merged),
                "not_admitted": merged.refused,
                "named_by_count": merged.named_by_count,
                "admitted_by_sources": named_by,
                "imports": [
                    {"source": i.source, "file": i.file, "format": i.format, "at": i.imported, **i.report}
                    for i in imports
                ],
            }
        )
        return
    show(f"{len(merged)} hashes are admitted, {merged.refused} are named by fewer than {minimum_sources} sources", "")
    show_table(["named by", "#admitted hashes"], sorted(named_by.items()))
    show("")
    columns = ["source", "file", "format", "#read", "#added", "#deleted", "#ignored", "#refused", "at (UTC)"]
    show_table(
        columns,
        (
            [
                *(i.source, i.file, i.format, i.report["entries"], i.report["additions"], i.report["deletions"]),
                *(sum(i.report["ignored"].values()), sum(i.report["refused"].values()), moment(i.imported)),
            ]
            for i in imports
        ),
    )


@_lists.command()
def remove(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The source to forget.")],
    *,
    data: Data = DEFAULT_DATA,
    yes: Yes = False,
) -> None:
    """Forget a source and all that it names.

    Tables that were built with it stay as they are.

    \b
    Example: tpsi-server list remove clinic
    """
    with open_store(folder_of(data)) as store:
        if source not in [record.name for record in store.lists.sources()]:
            raise OperatorError(f"there is no source {source!r}: see `tpsi-server list sources`")
        confirm(f"Forget all that {source!r} names?", yes=yes)
        store.lists.remove(source)
    show(f"forgot {source}; the next epoch will be built without it")


def _signature(path: Path | None, key: str | None) -> ListSignature | None:
    """The signature of a source, by the key that the operator has of it."""
    if path is None and key is None:
        return None
    if path is None or key is None:
        raise OperatorError("--signature and --source-key go together")
    found = ListSignature.decode(read_bounded(path, MAX_SIZE))
    if found.key != public_key_of(key):
        raise OperatorError(f"{path} is a signature by another key than the source's")
    return found


def _import_companions(
    data: Path, file: Path, source: str, options: ImportOptions, radius: int | None, *, as_json: bool
) -> None:
    with open_store(folder_of(data)) as store, watching() as progress:
        taken = import_with_companions(store, file, source, options, radius, progress=progress)
        coverage = store.companions.coverage()
    if as_json:
        counts = {"hashes_before": taken.imported.before, "hashes_after": taken.imported.after}
        show_json({"source": source, **counts, "companions": coverage.companions, "without": coverage.uncovered})
        return
    show(f"{source} named {taken.imported.before} different hashes before, and names {taken.imported.after} now")
    show(f"{taken.companions} companions were new; there are {coverage.companions} now")
    if coverage.uncovered:
        say(
            f"note: {coverage.uncovered} hashes of the list have no companion: nothing is held back while there are "
            "such, because what is revealed could match one of them"
        )


def _categories(texts: list[str] | None) -> Categories | None:
    if not texts:
        return None
    if "all" in texts:
        return "all"
    try:
        return {int(text) for text in texts}
    except ValueError:
        raise typer.BadParameter("a category is a number, or `all`", param_hint="--category") from None


def _as_dict(source: str, result: ImportResult) -> dict[str, object]:
    counts = {"hashes_before": result.imported.before, "hashes_after": result.imported.after}
    return {
        "source": source,
        "format": result.form,
        **counts,
        "notes": list(result.notes),
        "report": result.report.to_dict(),
    }
