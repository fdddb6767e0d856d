"""Project VIC media: the media objects in a stream of JSON events, with only what is needed of each."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from tpsi_server.lists.kinds import Kind, Kinds
from tpsi_server.lists.source import ListFileError, ListSource

#: JSON containers within each other; the data model has nine.
MAX_DEPTH = 64
#: Hashes of one entry; the data model has two fields for them, and tools add a handful.
MAX_HASHES = 64


class _Nested(Enum):
    """Stands for an object or array where a plain value belongs."""

    VALUE = auto()


Scalar = str | int | Decimal | bool | _Nested | None


@dataclass(slots=True)
class Media:
    """What has been read of one media object."""

    is_object: bool = True
    is_case: bool = False
    identifier: Scalar = None
    category: Scalar = None
    removed: bool = False
    hashes: list[tuple[Kind, Scalar]] = field(default_factory=list)
    malformed: int = 0
    surplus: int = 0

    def add_hash(self, kind: Kind, value: Scalar) -> None:
        """Take in one hash; beyond MAX_HASHES they are only counted."""
        if len(self.hashes) < MAX_HASHES:
            self.hashes.append((kind, value))
        else:
            self.surplus += 1


class _Role(Enum):
    """What an open object or array is, in the data model."""

    ROOT = auto()
    MEDIA_LIST = auto()
    MEDIA = auto()
    HASH_LIST = auto()
    HASH = auto()
    OTHER = auto()


#: What opens where: (role of the container around it, key in that, event) to role.
_ROLES = {
    (_Role.ROOT, "value", "start_array"): _Role.MEDIA_LIST,
    (_Role.MEDIA_LIST, "", "start_map"): _Role.MEDIA,
    (_Role.MEDIA, "media", "start_array"): _Role.MEDIA_LIST,
    (_Role.MEDIA, "alternativehashes", "start_array"): _Role.HASH_LIST,
    (_Role.HASH_LIST, "", "start_map"): _Role.HASH,
}


@dataclass(slots=True)
class _Open:
    """A container that is open: `media` is the media object that it is, or belongs to."""

    role: _Role
    key: str = ""
    media: Media | None = None
    name: Scalar = None
    value: Scalar = None


class MediaParser:
    """Takes JSON events one by one and gives a Media whenever one is complete."""

    def __init__(self, source: ListSource, kinds: Kinds) -> None:
        self._source = source
        self._kinds = kinds
        self._open: list[_Open] = []
        self._found = False

    def event(self, event: str, value: Any) -> Media | None:
        """Take the next event. Raises ListFileError if the file's form is wrong."""
        if event == "map_key":
            self._open[-1].key = value
            return None
        if event in ("start_map", "start_array"):
            return self._enter(event)
        if event in ("end_map", "end_array"):
            return self._leave()
        return self._plain(value)

    def check_found(self) -> None:
        """At the end of the file: raises ListFileError if there was no list of media at all."""
        if not self._found:
            raise self._no_list()

    def _no_list(self) -> ListFileError:
        return self._source.error("is JSON, but has no `value` list as a Project VIC (VICS) list has")

    def _enter(self, event: str) -> Media | None:
        if not self._open:
            self._open.append(_Open(_Role.ROOT if event == "start_map" else _Role.OTHER))
            return None
        if len(self._open) >= MAX_DEPTH:
            raise self._source.error(f"nests JSON more than {MAX_DEPTH} deep: no hash list")
        outer = self._open[-1]
        role = _ROLES.get((outer.role, outer.key.lower(), event), _Role.OTHER)
        self._open.append(_Open(role, media=Media() if role is _Role.MEDIA else outer.media))
        if role is _Role.MEDIA_LIST:
            self._found = True
            if outer.media is not None:
                outer.media.is_case = True
        return self._plain(_Nested.VALUE, outer) if role is _Role.OTHER else None

    def _leave(self) -> Media | None:
        closed = self._open.pop()
        media = closed.media
        if closed.role is _Role.MEDIA and media is not None:
            return None if media.is_case and not media.hashes else media
        if closed.role is _Role.HASH and media is not None:
            if isinstance(closed.name, str) and closed.name.strip():
                media.add_hash(self._kinds.of_type(closed.name), closed.value)
            else:
                media.malformed += 1
        return None

    def _plain(self, value: Scalar, outer: _Open | None = None) -> Media | None:
        """Take a plain value, or what stands in its place, in the container `outer` (the innermost one)."""
        if not self._open:
            raise self._no_list()
        outer = outer or self._open[-1]
        if outer.role is _Role.MEDIA_LIST:
            return Media(is_object=False)
        if outer.role is _Role.MEDIA and outer.media is not None:
            self._field(outer.media, outer.key, value)
        elif outer.role is _Role.HASH_LIST and outer.media is not None:
            outer.media.malformed += 1
        elif outer.role is _Role.HASH:
            if outer.key.lower() == "hashname":
                outer.name = value
            elif outer.key.lower() == "hashvalue":
                outer.value = value
        return None

    def _field(self, media: Media, name: str, value: Scalar) -> None:
        plain = name.lower()
        if plain == "mediaid":
            media.identifier = value
        elif plain == "category":
            media.category = value
        elif plain == "@removed":
            media.removed = value is not None
        elif value is not None and value != "" and plain != "alternativehashes":
            kind = self._kinds.of_column(name)
            if kind is not None:
                media.add_hash(kind, value)
