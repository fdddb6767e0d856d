"""Flaws: deliberately broken devices and servers, each of which the simulation has to find."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection

from tpsi.trust import Seen
from tpsi_client.local import LocalDevice
from tpsi_client.state import Queued
from tpsi_server import Runtime
from tpsi_server.keys import data_key_path
from tpsi_server.store import Answer, Claim, Delivery, Match, Recorded, VoucherState, matches, opening


def _nothing(_part: Any) -> None:
    return None


@dataclass(frozen=True)
class Flaw:
    """What is done to every process that starts, and around a whole history."""

    name: str
    on_server: Callable[[Runtime], None] = _nothing
    on_device: Callable[[LocalDevice], None] = _nothing
    around: Callable[[], AbstractContextManager[object]] = nullcontext


SOUND = Flaw("none")


def _acknowledge_before_commit(runtime: Runtime) -> None:
    """What was acknowledged is written with the next delivery, or never."""
    store, kept = runtime.store.vouchers.store, list[Delivery]()

    def later(deliveries: Sequence[Delivery], now: float) -> list[list[Answer]]:
        if kept:
            store(kept[:], now)
            kept.clear()
        kept.extend(deliveries)
        return [[Answer.NEW] * len(delivery.vouchers) for delivery in deliveries]

    runtime.store.vouchers.store = later  # type: ignore[method-assign, assignment]


def _store_copies(runtime: Runtime) -> None:
    """A voucher that comes again is stored again, under another id."""
    store = runtime.store.vouchers.store

    def twice(deliveries: Sequence[Delivery], now: float) -> Any:
        answers = store(deliveries, now)
        copies = [
            replace(voucher, voucher_id=bytes(reversed(voucher.voucher_id)))
            for delivery, answered in zip(deliveries, answers, strict=True)
            if isinstance(answered, list)
            for voucher, answer in zip(delivery.vouchers, answered, strict=True)
            if answer is Answer.ALREADY
        ]
        if copies:
            store([Delivery(deliveries[0].account, copies)], now)
        return answers

    runtime.store.vouchers.store = twice  # type: ignore[method-assign]


def _count_copies(runtime: Runtime) -> None:
    """What comes again counts again."""
    store = runtime.store.vouchers.store

    def counted(deliveries: Sequence[Delivery], now: float) -> Any:
        answers = store(deliveries, now)
        again = sum(answered.count(Answer.ALREADY) for answered in answers if isinstance(answered, list))
        if again:
            with runtime.store._database.write() as connection:
                connection.exec_driver_sql(f"UPDATE accounts SET vouchers = vouchers + {again}")
        return answers

    runtime.store.vouchers.store = counted  # type: ignore[method-assign]


def _record_without_claim(runtime: Runtime) -> None:
    """A result that comes after the end of its lease is recorded all the same."""
    record = runtime.store.matches.record

    def stubborn(claim: Claim, results: Sequence[Match], now: float) -> Recorded:
        with runtime.store._database.write() as connection:
            for voucher in claim.vouchers:
                connection.exec_driver_sql(f"DELETE FROM opened WHERE voucher = {voucher.id}")
                connection.exec_driver_sql(
                    "INSERT OR REPLACE INTO claims (voucher, token, leased_until, attempts) VALUES (?, ?, 0, 1)",
                    (voucher.id, claim.token),
                )
        return record(claim, results, now)

    runtime.store.matches.record = stubborn  # type: ignore[method-assign]


def _forget_late_matches() -> AbstractContextManager[object]:
    """What matches after a reveal is not revealed."""

    def blind(*_arguments: object) -> int:
        return 0

    return patch.object(opening, "open_with_key", blind)


def _keep_payloads() -> AbstractContextManager[object]:
    """The payload of a voucher that did not match stays."""
    finish = matches._finish

    def keep(connection: Connection, ids: Sequence[int], state: VoucherState) -> None:
        held = {
            number: connection.exec_driver_sql(f"SELECT payload FROM vouchers WHERE id = {number}").scalar()
            for number in ids
        }
        finish(connection, ids, state)
        for number, payload in held.items():
            connection.exec_driver_sql("UPDATE vouchers SET payload = ? WHERE id = ?", (payload, number))

    return patch.object(matches, "_finish", keep)


def _lose_the_old_key(runtime: Runtime) -> None:
    """The old data key is deleted as soon as there is a new one."""
    add = runtime.store.data_keys.add

    def hasty(number: int, now: float) -> None:
        add(number, now)
        data_key_path(runtime.folder.keys, number - 1).unlink(missing_ok=True)

    runtime.store.data_keys.add = hasty  # type: ignore[method-assign]


def _settle_before_answer(device: LocalDevice) -> None:
    """What is read from the outbox to be sent is taken for delivered."""
    outbox = device.state.outbox
    queued = outbox.queued

    def eager(after: bytes, limit: int, *, fresh_only: bool = False) -> list[Queued]:
        found = queued(after, limit, fresh_only=fresh_only)
        outbox.settle([one.voucher_id for one in found], {})
        return found

    outbox.queued = eager  # type: ignore[method-assign]


def _forget_sealed(device: LocalDevice) -> None:
    """The memory of what was sealed lasts for one epoch."""
    known, chain, begun = device.state.memory.known, device.state.chain, device.state.chain.in_use()

    def forgetful(tags: Sequence[bytes]) -> set[bytes]:
        return known(tags) if chain.in_use() == begun else set()

    device.state.memory.known = forgetful  # type: ignore[method-assign]


def _follow_anything(device: LocalDevice) -> None:
    """What manifests the device has seen is forgotten."""

    def nothing() -> Seen | None:
        return None

    device.state.chain.newest = nothing  # type: ignore[method-assign]


def _drop_refused(device: LocalDevice) -> None:
    """What the server refuses is taken for delivered."""
    settle = device.state.outbox.settle

    def careless(acknowledged: Sequence[bytes], refused: dict[bytes, str]) -> None:
        settle([*acknowledged, *refused], {})

    device.state.outbox.settle = careless  # type: ignore[method-assign, assignment]


FLAWS = (
    Flaw("a store that acknowledges before it commits", on_server=_acknowledge_before_commit),
    Flaw("a store that stores copies", on_server=_store_copies),
    Flaw("a store that counts copies", on_server=_count_copies),
    Flaw("results that are recorded without a claim", on_server=_record_without_claim),
    Flaw("late matches that are not revealed", around=_forget_late_matches),
    Flaw("payloads that stay", around=_keep_payloads),
    Flaw("a data key that is deleted too early", on_server=_lose_the_old_key),
    Flaw("an outbox that deletes before the acknowledgement", on_device=_settle_before_answer),
    Flaw("an outbox that drops what is refused", on_device=_drop_refused),
    Flaw("a device that seals again under a new epoch", on_device=_forget_sealed),
    Flaw("a device that steps back", on_device=_follow_anything),
)
