"""Runs the library on what a transcript records: its private twins take the random values, its results are compared."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tpsi import (
    BlindedTable,
    Device,
    Item,
    ItemHash,
    Kind,
    Manifest,
    Pool,
    Secret,
    Submission,
    TableSecrets,
    derive,
    group,
    match,
    slot_count,
)
from tpsi.groups import Rows
from tpsi.planning import plan_vouchers
from tpsi.randomness import Drawn
from tpsi.sealing import _seal
from tpsi.table import lay_out
from tpsi.table.building import _build

Record = Mapping[str, Any]


def rows(octets: list[str]) -> Rows:
    """Octet strings of one length as rows; empty ones as zeros."""
    width = max(map(len, octets)) // 2
    return np.frombuffer(b"".join(bytes.fromhex(o).ljust(width, b"\0") for o in octets), np.uint8).reshape(-1, width)


def item_hash(record: Record) -> ItemHash:
    """A recorded item hash."""
    return ItemHash(record["label"], bytes.fromhex(record["digest"]))


class Epoch:
    """The library's values for a recorded epoch."""

    def __init__(self, transcript: Record, record: Record) -> None:
        self.record = record
        self.manifest = Manifest.decode(record["manifest"].encode())
        alpha, fill_key = (bytes.fromhex(text) for text in (record["alpha"]["scalar"], record["fill_key"]))
        self.secrets = TableSecrets(Secret(alpha), Secret(fill_key))
        self.encoded = [bytes.fromhex(entry["encoded"]) for entry in transcript["list"]]

    def built_cells(self) -> list[str]:
        """The cells that the library builds from the recorded secrets and seed."""
        layout = lay_out(self.manifest.encoding, self.encoded, self.manifest.seed)
        if layout is None:
            raise LookupError("the seed does not serve")
        built = _build(self.manifest.group, layout, self.secrets, lambda *_: None)
        return [row.tobytes().hex() for row in built.table.cells]

    def table(self) -> BlindedTable:
        """The table that devices see."""
        cells = rows(self.record["table"]["cells"]).copy()
        for change in self.record["hostile"]:
            cells[change["cell"]] = np.frombuffer(bytes.fromhex(change["octets"]), np.uint8)
        return BlindedTable(group(self.manifest.suite), self.manifest.geometry, self.manifest.seed, cells)


def drawn(vouchers: list[Record], candidates: int) -> Drawn:
    """The recorded random values of vouchers, in the library's order; unused ones are zeros."""
    width = len(vouchers[0]["slots"])
    orders = [slot_order(voucher["slots"], candidates) for voucher in vouchers]
    slots = [v["slots"][sent] for v, order in zip(vouchers, orders, strict=True) for sent in order]
    return Drawn(
        rows([voucher["id"] for voucher in vouchers]),
        rows([voucher["rkey"] for voucher in vouchers]),
        rows([voucher["associated_data"]["key"] for voucher in vouchers]),
        rows([slot["beta"] or "00" * 32 for slot in slots]).reshape(len(vouchers), width, 32),
        rows([slot["gamma"] for slot in slots]).reshape(len(vouchers), width, 32),
        rows([slot["kek"] for slot in slots]).reshape(len(vouchers), width, 32),
        np.array(orders, np.int64),
    )


def slot_order(slots: list[Record], candidates: int) -> list[int]:
    """For every slot before they were put in order, the place at which it is sent."""
    own: dict[int, int] = {}
    for sent, slot in enumerate(slots):
        if slot["probe"] is not None:
            own[slot["probe"] * candidates + slot["candidate"]] = sent
        elif slot["content"] == "synthetic":
            own[0] = sent
    others = iter(sent for sent in range(len(slots)) if sent not in own.values())
    return [own[number] if number in own else next(others) for number in range(len(slots))]


def sealed_again(transcript: Record, epochs: list[Epoch]) -> Iterator[tuple[Record, Kind, bytes, Record | None]]:
    """Every recorded voucher, with its kind, its octets and its match as the library has them."""
    for account in transcript["accounts"]:
        remembered: set[bytes] = set()
        for batch in account["batches"]:
            epoch, pool = epochs[batch["epoch"]], account["pools"][batch["pool"]]
            wanted = Pool(epoch.manifest.list_id, pool["generation"], epoch.manifest.sharing)
            keys = derive(Secret(bytes.fromhex(account["secret"])), wanted)
            device = Device(epoch.manifest, epoch.table(), keys, account["identifier"])
            for item in batch["items"]:
                plans, tags = plan_vouchers(device, [read_item(item)], remembered.__contains__, item["size_class"])
                remembered |= set(tags[0])
                random_values = drawn(item["vouchers"], slot_count(epoch.manifest) // epoch.manifest.probes.per_item)
                sealed, _ = _seal(device, [read_item(item)], plans, random_values)
                for record, voucher in zip(item["vouchers"], sealed, strict=True):
                    yield record, voucher.kind, voucher.data, matched(epoch, device.account, voucher.data)


def read_item(record: Record) -> Item:
    """A recorded item; where hashes are counted its identifier plays no part."""
    probes = tuple(item_hash(probe["item"]) for probe in record["probes"])
    identifier = bytes.fromhex(record["identifier"]) if record["identifier"] else b"-"
    return Item(identifier, probes, bytes.fromhex(record["ad"]))


def matched(epoch: Epoch, account: str, octets: bytes) -> Record | None:
    """Share and adct that the library opens a voucher to."""
    opened = match(epoch.manifest, epoch.secrets, [Submission(account, octets)])[0]
    return None if opened is None else {"share": opened.share.hex(), "adct": opened.adct.hex()}
