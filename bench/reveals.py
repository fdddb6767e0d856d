"""Examining a pool of opened vouchers as a task: neither suite nor table encoding makes a difference to it."""

import secrets
from collections.abc import Callable, Iterator, Sequence

from bench.errors import BenchError
from bench.measure import Subject, Task, Work, cpu
from bench.settings import Examined
from tpsi import AccountKeys, Opened, Pool, Secret, Sharing, Verdict, derive, examine
from tpsi.account import shares, synthetic_share
from tpsi.labels import Label
from tpsi.symmetric import seal as aead
from tpsi.voucher import VOUCHER_ID_SIZE, item_key, pad, smallest_class

_ASSOCIATED = b"associated data"


def reveal_tasks(cases: Sequence[Examined]) -> Iterator[Task]:
    """One task for every pool; a sample examines it once, from opened vouchers to opened associated data."""
    for case in cases:
        pool = Pool(bytes(16), 0, Sharing(case.threshold, case.rows))
        opened = opened_vouchers(derive(Secret(secrets.token_bytes(32)), pool), case)
        _check(pool, opened, case)
        parameters = {"opened": case.opened, "real": case.real, "threshold": case.threshold, "rows": case.rows}
        yield Task(Subject("reveal", parameters=parameters), Work(1, cpu(_examining(pool, opened))))


def _examining(pool: Pool, opened: Sequence[Opened]) -> Callable[[], object]:
    return lambda: examine(pool, opened)


def opened_vouchers(keys: AccountKeys, case: Examined) -> list[Opened]:
    """What a server holds of an account after matching: real shares and synthetic ones, in random order."""
    subjects = [number.to_bytes(8, "big") for number in range(case.opened)]
    made = shares(keys, subjects[: case.real])
    made += [synthetic_share(keys, subject) for subject in subjects[case.real :]]
    vouchers = [_opened(keys, share, number < case.real) for number, share in enumerate(made)]
    return sorted(vouchers, key=lambda one: one.voucher_id)


def _opened(keys: AccountKeys, share: bytes, real: bool) -> Opened:
    voucher_id = secrets.token_bytes(VOUCHER_ID_SIZE)
    padded = pad(_ASSOCIATED, smallest_class(len(_ASSOCIATED)))
    key = item_key(keys.ad_key.reveal(), voucher_id) if real else secrets.token_bytes(32)
    return Opened(voucher_id, keys.pool.generation, share, aead(key, padded, Label.AD.value + voucher_id))


def _check(pool: Pool, opened: Sequence[Opened], case: Examined) -> None:
    verdicts = examine(pool, opened).verdicts
    if verdicts.count(Verdict.REVEALED) != case.real or verdicts.count(Verdict.REJECTED) != case.opened - case.real:
        raise BenchError(f"a pool was revealed wrongly, its cost means nothing: {case}")
