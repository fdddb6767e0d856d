"""The passphrase that the key files are encrypted with: from a file, the environment, or the person at the terminal."""

import getpass
import os
import sys
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

from tpsi import Secret
from tpsi_server.errors import PassphraseError
from tpsi_server.files import read_bounded

ENVIRONMENT = "TPSI_PASSPHRASE"
#: The passphrase that is to take its place.
NEW_ENVIRONMENT = "TPSI_NEW_PASSPHRASE"
#: Octets of UTF-8. Longer ones are a wrong file, not a passphrase.
MAX_PASSPHRASE = 1024


def passphrase(
    file: Path | None = None,
    *,
    confirm: bool = False,
    environment: Mapping[str, str] = os.environ,
    ask: Callable[[str], str] | None = None,
) -> Secret:
    """The passphrase: the first line of `file`, else of TPSI_PASSPHRASE, else what is typed.

    `confirm`: what is typed is asked for twice, since something new will be encrypted with it. `ask` reads without
    an echo; by default from the terminal, if there is one. Raises PassphraseError if there is none to be had.
    """
    if file is not None:
        return _checked(_first_line(file), f"{file}")
    if ENVIRONMENT in environment:
        return _checked(environment[ENVIRONMENT], ENVIRONMENT)
    if ask is None and not sys.stdin.isatty():
        raise PassphraseError(f"no passphrase: set {ENVIRONMENT}, or name a file with --passphrase-file")
    ask = ask or getpass.getpass
    try:
        typed = ask("Passphrase for the key files: ")
        if confirm and ask("The same once more: ") != typed:
            raise PassphraseError("the two passphrases are not the same: start again")
    except EOFError:
        raise PassphraseError("no passphrase was typed") from None
    return _checked(typed, "what was typed")


def new_passphrase(
    file: Path | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    ask: Callable[[str], str] | None = None,
) -> Secret:
    """The passphrase that key files are to have: from `file`, else TPSI_NEW_PASSPHRASE, else what is typed twice."""
    given = {ENVIRONMENT: environment[NEW_ENVIRONMENT]} if NEW_ENVIRONMENT in environment else {}
    if file is None and not given and ask is None and not sys.stdin.isatty():
        raise PassphraseError(f"no new passphrase: set {NEW_ENVIRONMENT}, or name a file with --new-passphrase-file")
    return passphrase(file, confirm=True, environment=given, ask=ask)


def _first_line(file: Path) -> str:
    try:
        text = read_bounded(file, 2 * MAX_PASSPHRASE).decode("utf-8")
    except UnicodeDecodeError:
        raise PassphraseError(f"{file} is not a text file in UTF-8") from None
    return text.splitlines()[0] if text else ""


def _checked(text: str, origin: str) -> Secret:
    """The octets of a passphrase, the same for all ways to write the same characters."""
    octets = unicodedata.normalize("NFC", text).encode("utf-8", "surrogateescape")
    if not octets:
        raise PassphraseError(f"the passphrase is empty ({origin})")
    if len(octets) > MAX_PASSPHRASE:
        raise PassphraseError(f"a passphrase has at most {MAX_PASSPHRASE} octets ({origin} has more)")
    return Secret(octets)
