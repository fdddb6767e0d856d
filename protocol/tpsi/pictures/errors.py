"""The errors that say why one file was passed over, or why no picture can be read here at all."""

from tpsi.errors import TpsiError

#: File names come from anywhere; a message carries no more of one than a line can show.
MAX_SHOWN_NAME = 120


class PictureError(TpsiError):
    """A file can't be used as a picture; the message is one line that names the file and the reason."""

    code = "PICTURE_UNUSABLE"


class ExtraMissingError(TpsiError):
    """A library that the installation left out is needed; the message says how to install it."""

    code = "EXTRA_MISSING"


def unusable(name: str, reason: str) -> PictureError:
    """The error for one file: `photo.jpg: not a picture that can be decoded (…); skipped`."""
    return PictureError(f"{printable(name)}: {reason}; skipped")


def missing(library: str, extra: str) -> ExtraMissingError:
    """The error for a library that belongs to one of the project's extras."""
    return ExtraMissingError(
        f"{library} is needed to read these files and is not installed; run: pip install 'tpsi[{extra}]'"
    )


def printable(text: str) -> str:
    """`text` without what could break a line or steer a terminal, cut to MAX_SHOWN_NAME characters."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return shown if len(shown) <= MAX_SHOWN_NAME else shown[: MAX_SHOWN_NAME - 1] + "…"
