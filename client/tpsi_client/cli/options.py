"""Options that several verbs have."""

import re
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from tpsi.parameters import MAX_PER_MILLION, SyntheticMode
from tpsi_client.home import ENVIRONMENT

_KEY = re.compile(r"[0-9a-fA-F]{64}\Z")

Home: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar=ENVIRONMENT,
        metavar="DIR",
        help="The device's folder. By default where this system keeps application data.",
    ),
]
Types: TypeAlias = Annotated[
    str,
    typer.Option(
        "--types",
        metavar="TYPE,...",
        help="Hash types to seal under, for example pdq. By default all that the list has and this device can compute.",
    ),
]
OriginalsFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--originals",
        metavar="DIR",
        file_okay=False,
        help="Also write every picture encrypted to DIR, named by its voucher, for the operator to store: a reveal "
        "then opens those that matched, and no others. Their sizes are visible to whoever stores them.",
    ),
]
LowestThreshold: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--lowest-threshold",
        metavar="N",
        min=1,
        help="Never accept a list under which N matching pictures, or fewer, could be enough for a reveal.",
    ),
]
LeastSynthetic: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--least-synthetic",
        metavar="N",
        min=0,
        max=MAX_PER_MILLION,
        help="Never accept a list with fewer synthetic vouchers than N in a million.",
    ),
]
Mirrored: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--mirrored",
        help="Look for mirror images, too: one more voucher for every picture and perceptual hash type. A picture of "
        "which the list has both counts for two.",
    ),
]
Videos: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--videos",
        help="Videos in the folder, too: one voucher for each scene, up to 64. A video counts as often as the list has "
        "different frames of it. Needs: pip install 'tpsi[video]'",
    ),
]
TrustSeparation: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--trust-separation/--no-trust-separation",
        show_default=False,
        help="Accept lists for which a device seals several variants of a picture, on the server's word alone that no "
        "picture can match several of its hashes. By default no.",
    ),
]


Modes: TypeAlias = Annotated[
    str,
    typer.Option(
        "--modes",
        metavar="MODE,...",
        help="Modes of synthetic vouchers that you accept: replace, add, none. With add the server learns more about "
        "the number of your matches, with none it learns the number itself. By default only replace.",
    ),
]

Auditors: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--auditor",
        metavar="KEY",
        help="Accept only tables that this auditor has signed: the public key, 64 hexadecimal digits or a file of "
        "them. Take it from the auditor, not from the list's operator. May be given several times.",
    ),
]
AuditorsNeeded: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--auditors-needed",
        metavar="K",
        min=1,
        help="Be content with the signatures of K of the auditors. By default all of them must have signed.",
    ),
]


def auditors(texts: list[str] | None) -> tuple[bytes, ...] | None:
    """The keys that `--auditor` names; None if it was not given."""
    return tuple(map(_auditor, texts)) if texts else None


def key_in(text: str) -> bytes | None:
    """The public key that a text is (64 hexadecimal digits), or that the file of this name holds; None if neither."""
    found = text
    if not _KEY.match(found):
        try:
            with Path(text).open("rb") as file:
                found = file.read(100).decode("ascii").strip()
        except (OSError, ValueError):
            return None
    return bytes.fromhex(found) if _KEY.match(found) else None


def _auditor(text: str) -> bytes:
    found = key_in(text)
    if found is None:
        raise typer.BadParameter(
            f"{text!r} is neither 64 hexadecimal digits nor a file of them", param_hint="--auditor"
        )
    return found


def modes(text: str) -> tuple[SyntheticMode, ...]:
    """The modes that an option names."""
    try:
        return tuple(dict.fromkeys(SyntheticMode(word) for word in split(text)))
    except ValueError:
        raise typer.BadParameter("modes are replace, add and none", param_hint="--modes") from None


def split(types: str) -> tuple[str, ...]:
    """The words of a comma-separated option."""
    return tuple(word.strip() for word in types.split(",") if word.strip())
