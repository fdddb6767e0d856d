"""All steps of a transcript in their order: recompute, and compare with the record."""

from collections.abc import Iterator
from typing import Any, TypeVar

from .audits import verify_audits
from .canonical import RefusedError
from .detection import Delivered, detect
from .device import Policy, Seen, device_checks
from .elements import GROUPS, Group
from .epoch import Epoch, check_epoch, draw_scalar
from .items import check_list
from .log import verify_logs
from .manifest import decode_envelope
from .matching import MalformedError, Opened, decode_voucher, match
from .shares import Keys, Sharing, encode_values, memory_key, pool_keys
from .table import geometry, merkle_root, positions
from .transcript import Node, WrongValueError
from .voucher import Setting, check_item

FORMAT = "tpsi transcript 1"
MANIFESTS = "tpsi manifests 1"
AUDITS = "tpsi audit 1"
LOG = "tpsi log 1"

T = TypeVar("T")


def verify(data: Any) -> Iterator[str]:
    """A line for every step that holds; raises WrongValueError at the first value that does not."""
    root = Node(data, "", set())
    form = root["format"].one_of(FORMAT, MANIFESTS, AUDITS, LOG)
    if form != FORMAT:
        yield from {MANIFESTS: verify_manifests, AUDITS: verify_audits, LOG: verify_logs}[form](root)
        check_all_read(root)
        return
    root["source"].text(), root["seed"].text()
    group, encoding = GROUPS[root["suite"].one_of(*GROUPS)], root["encoding"].one_of("fuse", "cuckoo")
    yield check_elements(root["elements"], group)
    items = check_list(root["list"], group)
    yield f"list: {len(items)} items"
    epochs: list[Epoch] = []
    for node in root["epochs"]:
        for result in check_epoch(node, group, encoding, items):
            if isinstance(result, Epoch):
                epochs.append(result)
            else:
                yield result
    settings: list[list[Setting]] = []
    for node in root["accounts"]:
        account = Account(node, epochs)
        yield from account.check()
        settings.append(account.settings)
    yield check_deliveries(root["deliveries"], settings)
    yield check_detections(root["detections"], settings)
    yield check_sizes(root, encoding)
    yield check_acceptance(root, epochs)
    check_all_read(root)


def check_all_read(root: Node) -> None:
    """Whether there is a value that no step has read."""
    unread = sorted(root.unread())
    if unread:
        raise WrongValueError(unread[0], "is no part of a transcript")


def check_elements(node: Node, group: Group) -> str:
    """Section 2.1: the generator, random scalars, and octets that are no element."""
    node["generator"].expect(group.generator)
    for entry in node["multiples"]:
        entry["element"].expect(group.multiply(draw_scalar(entry, group), group.generator))
    for entry in node["refused"]:
        entry["name"].text()
        if group.is_valid(entry["octets"].octets()):
            raise WrongValueError(entry["octets"].path, "is a valid element")
    return f"elements: {len(node['multiples'])} multiples, {len(node['refused'])} refused"


def check_sizes(root: Node, encoding: str) -> str:
    """Section 4: geometries and digest trees that are too large for a table of the transcript."""
    for entry in root["geometries"]:
        table = geometry(encoding, entry["items"].integer())
        entry["cells"].expect(table.cells)
        if encoding == "fuse":
            entry["segment_length"].expect(table.segment_length)
            entry["segments"].expect(table.segments)
    for entry in root["positions"]:
        table, y = geometry(encoding, entry["items"].integer()), entry["encoded"].octets()
        entry["positions"].expect(positions(table, entry["seed"].octets(), y))
    for entry in root["digest_trees"]:
        size = entry["octets"].integer()
        content = (bytes(range(251)) * (size // 251 + 1))[:size]
        entry["root"].expect(merkle_root(content))
    return f"sizes: {len(root['geometries'])} geometries, {len(root['digest_trees'])} digest trees"


def verify_manifests(root: Node) -> Iterator[str]:
    """Check 1 of section 5: which envelopes decode, and to which manifest digest."""
    root["source"].text(), root["seed"].text()
    for case in root["cases"]:
        case["name"].text()
        try:
            digest = decode_envelope(case["envelope"].text())[0].digest
        except RefusedError:
            digest = None
        case["digest"].expect(digest)
    yield f"manifests: {len(root['cases'])} cases"


def check_acceptance(root: Node, epochs: list[Epoch]) -> str:
    """Section 5: what devices accept, and the check by which they refuse."""
    policies = [read_policy(node) for node in root["policies"]]
    for case in root["acceptance"]:
        case["name"].text()
        policy, epoch = pick(case["policy"], policies), pick(case["epoch"], epochs)
        seen = None
        if not case["seen"].is_null():
            seen = Seen(case["seen"]["epoch"].integer(), case["seen"]["digest"].octets().hex())
        content = b"".join(epoch.cells) if case["content"].is_null() else case["content"].octets()
        between = [entry.text() for entry in case["between"]]
        try:
            device_checks(case["envelope"].text(), policy, seen, between, content)
            failed = None
        except RefusedError as refused:
            failed = refused.check
        case["refused_by_check"].expect(failed)
    return f"acceptance: {len(root['acceptance'])} cases"


def read_policy(node: Node) -> Policy:
    return Policy(
        server_key=node["server_key"].octets().hex(),
        auditor_keys=tuple(key.hex() for key in node["auditor_keys"].list_of_octets()),
        suites=tuple(suite.text() for suite in node["suites"]),
        minimum_threshold=node["minimum_threshold"].integer(),
        modes=tuple(mode.one_of("replace", "add", "none") for mode in node["modes"]),
        minimum_per_million=node["minimum_per_million"].integer(),
        trusts_separation=node["trusts_separation"].boolean(),
        list=node["list"].octets().hex(),
    )


def pick(node: Node, choices: list[T]) -> T:
    """The choice that an index names."""
    index = node.integer()
    if not 0 <= index < len(choices):
        raise WrongValueError(node.path, "names nothing")
    return choices[index]


def read_name(node: Node) -> bytes:
    """An account's name: 1 to 64 printable ASCII characters."""
    name = node.text()
    if not 1 <= len(name) <= 64 or not all(" " <= character <= "~" for character in name):
        raise WrongValueError(node.path, "is no name of an account")
    return name.encode("ascii")


class Account:
    """Sections 6 to 9 for one account: keys, batches of items, matching, and the pools' results."""

    def __init__(self, node: Node, epochs: list[Epoch]) -> None:
        self.node = node
        self.epochs = epochs
        self.identifier = read_name(node["identifier"])
        self.pools: list[Keys] = []
        self.opened: list[list[Delivered]] = []
        self.settings: list[Setting] = []
        self.remembered: dict[int, set[bytes]] = {}

    def check(self) -> Iterator[str]:
        name = self.node["identifier"].text()
        for pool in self.node["pools"]:
            self.pools.append(self.check_keys(pool))
            self.opened.append([])
        yield f"keys: {name}, {len(self.pools)} pools"
        for batch in self.node["batches"]:
            yield f"vouchers: {name}, {self.check_batch(batch)}"
        for pool, keys, opened in zip(self.node["pools"], self.pools, self.opened, strict=True):
            pool["detection"].expect(detect(opened, keys))
            yield f"detection: {name}, {len(opened)} opened, {pool['detection']['result'].text()}"

    def check_keys(self, node: Node) -> Keys:
        sharing = Sharing(
            node["generation"].integer(),
            node["threshold"].integer(),
            node["rows"].integer(),
            node["count_by"].one_of("hash", "item"),
        )
        scope = bytes.fromhex(self.epochs[0].manifest["list"])
        keys = pool_keys(self.node["secret"].octets(), scope, sharing)
        node["k_poly"].expect(keys.k_poly)
        node["k_x"].expect(keys.k_x)
        node["k_fake"].expect(keys.k_fake)
        node["polynomials"].expect([encode_values(row) for row in keys.polynomials])
        return keys

    def check_batch(self, node: Node) -> str:
        epoch, keys = pick(node["epoch"], self.epochs), pick(node["pool"], self.pools)
        sharing, generation = epoch.manifest["sharing"], keys.sharing.generation
        if Sharing(generation, **{k: sharing[k] for k in ("threshold", "rows", "count_by")}) != keys.sharing:
            raise WrongValueError(node["pool"].path, "is not the pool of the manifest's sharing")
        k_memory = memory_key(self.node["secret"].octets(), keys.scope, generation)
        node["k_memory"].expect(k_memory)
        setting = Setting(epoch, self.identifier, keys)
        self.settings.append(setting)
        remembered = self.remembered.setdefault(generation, set())
        count = sum(check_item(item, setting, k_memory, remembered) for item in node["items"])
        opened = [self.check_match(v, setting) for item in node["items"] for v in item["vouchers"]]
        self.opened[node["pool"].integer()] += [entry for entry in opened if entry is not None]
        return f"{len(node['items'])} items, {count} vouchers, {len([o for o in opened if o])} match"

    def check_match(self, node: Node, setting: Setting) -> Delivered | None:
        """What the server makes of a voucher that was sealed; None if it does not match."""
        try:
            voucher = decode_voucher(node["octets"].octets(), setting)
        except MalformedError as malformed:
            raise WrongValueError(node["octets"].path, str(malformed)) from None
        opened = match(voucher, setting)
        node["match"].expect(match_record(opened))
        if opened is None:
            return None
        if opened.adct != node["associated_data"]["adct"].octets():
            raise WrongValueError(node["match"].path, "opens another adct")
        return Delivered(voucher.id, opened.share, opened.adct)


def match_record(opened: Opened | None) -> dict[str, Any] | None:
    if opened is None:
        return None
    return {"slot": opened.slot, "rkey": opened.rkey, "share": opened.share, "malformed": opened.malformed}


def check_deliveries(node: Node, settings: list[list[Setting]]) -> str:
    """Section 8 for vouchers that no honest device sends."""
    for case in node:
        case["name"].text()
        setting = pick(case["batch"], pick(case["account"], settings))
        opened = None
        try:
            opened = match(decode_voucher(case["octets"].octets(), setting), setting)
            result = "no match" if opened is None else "opened"
        except MalformedError:
            result = "malformed"
        case["result"].expect(result)
        case["match"].expect(match_record(opened))
    return f"deliveries: {len(node)} cases"


def check_detections(node: Node, settings: list[list[Setting]]) -> str:
    """Section 9 for sets of shares that no honest devices make."""
    for case in node:
        case["name"].text()
        keys = pick(case["batch"], pick(case["account"], settings)).keys
        opened = [
            Delivered(entry["voucher"].octets(), entry["share"].octets(), entry["adct"].octets())
            for entry in case["opened"]
        ]
        if any(len(entry.share) != 8 * (keys.sharing.rows + 1) for entry in opened):
            raise WrongValueError(case["opened"].path, "holds a share of a wrong length")
        case["detection"].expect(detect(opened, keys))
    return f"detections: {len(node)} cases"
