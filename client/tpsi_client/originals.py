"""Encrypted originals: one file for each voucher, which a reveal opens if the operator stores it."""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tpsi import CallerError, Item, Kind, Manifest, Photograph, SealedBatch, SyntheticMode, seal_original
from tpsi.symmetric import KEY_SIZE
from tpsi_client.errors import HomeError
from tpsi_client.files import make_private_folder, write_whole

SUFFIX = ".sealed"


def check_allowed(manifest: Manifest, types: Sequence[str]) -> None:
    """Raise CallerError where the sizes of encrypted originals would take the cover away.

    Equal sizes show which vouchers belong to one picture. If one picture has several vouchers, of several hash
    types or a synthetic one in addition to its own, then which of them open tells more than their number.
    """
    if manifest.synthetic.mode is SyntheticMode.ADD:
        raise CallerError(
            "this list asks for synthetic vouchers in addition to real ones; encrypted originals would show by their "
            "sizes which belong together, so they can't be made for it"
        )
    if len(types) > 1:
        raise CallerError(
            "encrypted originals would show by their sizes which vouchers belong to one picture; "
            f"name one hash type: --types {types[0]}"
        )


class Originals:
    """A folder of encrypted originals, each named by its voucher's id: `<id>.sealed`."""

    def __init__(self, folder: Path) -> None:
        make_private_folder(folder)
        self._folder = folder
        self.written = 0

    def write(self, sealed: SealedBatch, items: Sequence[Item], contents: Sequence[bytes | None]) -> None:
        """Write the originals of a batch before its vouchers are stored: all or none of them.

        Null and synthetic vouchers get one as well, under a key that nobody keeps: a missing file would tell.
        `contents` has None for items whose file is too large to be encrypted. Raises DiskError.
        """
        names: list[Path] = []
        try:
            for voucher in sealed.vouchers:
                content = contents[voucher.item]
                if content is None:
                    continue
                real = voucher.kind is Kind.REAL
                key = _content_key(items[voucher.item]) if real else secrets.token_bytes(KEY_SIZE)
                names.append(self._folder / f"{voucher.voucher_id.hex()}{SUFFIX}")
                write_whole(names[-1], seal_original(key, content), replace=False)
        except BaseException:
            for name in names:
                with suppress(OSError):
                    name.unlink(missing_ok=True)
            raise
        self.written += len(names)


def _content_key(item: Item) -> bytes:
    if not item.associated:
        raise HomeError("this device's vouchers are too small to carry a key for encrypted originals (size class)")
    return Photograph.decode(item.associated).content_key
