"""Kinds of hash: the many names that providers give them, mapped to this project's type labels.

Sources of the names: the indicator types and signal types of Meta's ThreatExchange, the fingerprint
elements of NCMEC's hash sharing API, the fields of the VICS data model, and common CSV exports.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from tpsi.errors import CallerError
from tpsi.items import DIGEST_SIZES, MAX_LABEL, ItemHash


class Kind(NamedTuple):
    """A kind of hash: its label, and whether lists may bring it in."""

    label: str
    supported: bool


#: Hashes that providers exchange and that this project has no type for, by their squeezed names.
_FOREIGN = {
    "photodna": "photodna",
    "pdna": "photodna",
    "ssvhpdna": "ssvh-pdna",
    "ssvhsafer": "ssvh-safer-hash",
    "netclean": "netclean",
    "videntifier": "videntifier",
    "tmk": "tmk-pdqf",
    "tmkpdqf": "tmk-pdqf",
    "pdqf": "tmk-pdqf",
    "vpdq": "vpdq",
    "pdqocr": "pdq-ocr",
    "textmd5": "text-md5",
    "urlmd5": "url-md5",
    "tlsh": "tlsh",
    "texttlsh": "tlsh",
    "tlshpdf": "tlsh",
    "pdftlsh": "tlsh",
    "ssdeep": "ssdeep",
    "imphash": "imphash",
    "clip": "clip",
    "crc32": "crc32",
    "md4": "md4",
    "sha224": "sha224",
    "sha384": "sha384",
    "blake2b": "blake2b",
    "blake3": "blake3",
    "ahash": "ahash",
    "dhash": "dhash",
    "whash": "whash",
    "colorhash": "colorhash",
    "f1": "f1",
    "imagemark": "imagemark",
}
#: Signals that are no hashes at all; they appear where a type is named, never as a hash column.
_SIGNALS = {
    "rawtext": "raw-text",
    "trendquery": "trend-query",
    "url": "url",
    "uri": "url",
    "debugstring": "debug",
}
#: Words that say nothing about the kind: `HASH_VIDEO_MD5` is an md5.
_FILLER = {"hash", "file", "photo", "video", "image", "media", "hex", "digest", "checksum"}
_HASHLIKE = re.compile(r"hash|md5|sha[0-9-]|dna|pdq")
_WORD = re.compile(r"[a-z0-9]+")


def _squeeze(name: str) -> str:
    joined = "".join(word for word in _WORD.findall(name.casefold()) if word not in _FILLER)
    if joined in DIGEST_SIZES or joined in _FOREIGN:
        return joined
    return re.sub(r"(hash|sum)\Z", "", joined)


def _tidy(name: str) -> str:
    """A label fit for a report, whatever the file called it."""
    label = re.sub(r"[^a-z0-9._]+", "-", name.casefold()).strip("-._")
    return label[:MAX_LABEL] or "unnamed"


#: Names whose kind is remembered: a file uses a few over and over, and a hostile one invents one a line.
_REMEMBERED = 1024


class Kinds:
    """The mapping from names to kinds for one file; `default_type` adds one supported label to it.

    Raises CallerError if `default_type` cannot be a type label.
    """

    def __init__(self, default_type: str | None = None) -> None:
        self.default_type = None if default_type is None else _label_of(default_type)
        self.named = lru_cache(_REMEMBERED)(self._named)
        self.of_column = lru_cache(_REMEMBERED)(self._of_column)

    def _named(self, name: str) -> Kind | None:
        """The kind that `name` is known for, or None."""
        if self.default_type is not None and name.strip().lower() == self.default_type:
            return Kind(self.default_type, supported=True)
        squeezed = _squeeze(name)
        if squeezed in DIGEST_SIZES:
            return Kind(squeezed, supported=True)
        foreign = _FOREIGN.get(squeezed) or _SIGNALS.get(squeezed)
        return None if foreign is None else Kind(foreign, supported=False)

    def of_type(self, name: str) -> Kind:
        """The kind for a name in the place of a type; an unknown one is a foreign kind of its own."""
        return self.named(name) or Kind(_tidy(name), supported=False)

    def _of_column(self, name: str) -> Kind | None:
        """The kind for a column or field name; None if it is not one that holds hashes."""
        if _squeeze(name) in _SIGNALS:
            return None
        kind = self.named(name)
        if kind is None and _HASHLIKE.search(name.casefold()):
            return Kind(_tidy(name), supported=False)
        return kind


def _label_of(default_type: str) -> str:
    squeezed = _squeeze(default_type)
    if squeezed in DIGEST_SIZES:
        return squeezed
    label = default_type.strip().lower()
    try:
        ItemHash(label, b"\x01")
    except CallerError:
        known = ", ".join(sorted(DIGEST_SIZES))
        raise CallerError(f"{default_type!r} is not a hash type; known types are {known}") from None
    return label
