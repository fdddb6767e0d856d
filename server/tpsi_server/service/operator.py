"""The operator service: counts, accounts, and what was revealed of one."""

# ruff: noqa: N802 (the calls have the names of the contract)

import asyncio
from collections.abc import AsyncIterator

from google.protobuf.timestamp_pb2 import Timestamp

from tpsi.errors import CallerError
from tpsi.voucher import encode_account
from tpsi_proto import tpsi_pb2 as pb
from tpsi_proto.tpsi_pb2_grpc import OperatorServiceServicer
from tpsi_server.accounts import Role
from tpsi_server.companions import Check
from tpsi_server.errors import RefusedError
from tpsi_server.reasons import Reason
from tpsi_server.runtime import Runtime
from tpsi_server.service.auth import CALLER
from tpsi_server.service.limits import DEFAULT_PAGE, MAX_PAGE
from tpsi_server.service.status import Context
from tpsi_server.store import AccountRecord, Counts, Reveal
from tpsi_server.tables import Epoch


class OperatorServicer(OperatorServiceServicer):
    """Shows what a runtime holds."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def GetStatus(self, request: pb.GetStatusRequest, context: Context) -> pb.GetStatusResponse:
        """Counts over the whole server, and its epochs."""
        status = await asyncio.to_thread(self._runtime.status)
        epochs = await asyncio.to_thread(self._runtime.tables.all)
        return pb.GetStatusResponse(
            list_name=status.list_name,
            epochs=map(_epoch, epochs),
            accounts=status.accounts,
            vouchers_received=status.vouchers_received,
            vouchers_waiting=status.vouchers_waiting,
            accounts_revealed=status.accounts_revealed,
        )

    async def ListAccounts(self, request: pb.ListAccountsRequest, context: Context) -> pb.ListAccountsResponse:
        """A page of accounts; its token is the name of its last one."""
        size = request.page_size or DEFAULT_PAGE
        if size > MAX_PAGE:
            raise RefusedError(Reason.INVALID_REQUEST, f"a page has at most {MAX_PAGE} accounts")
        after = _checked(request.page_token) if request.page_token else ""
        found = await asyncio.to_thread(self._runtime.store.accounts.page, after, size + 1)
        token = found[size - 1].name if len(found) > size else ""
        page = found[:size]
        counted = await asyncio.to_thread(lambda: [self._counts(account) for account in page])
        return pb.ListAccountsResponse(accounts=map(_account, page, counted), next_page_token=token)

    async def GetReveal(self, request: pb.GetRevealRequest, context: Context) -> AsyncIterator[pb.RevealedItem]:
        """What was revealed of an account, in the order in which it came in.

        What is held back is for operators alone: who only reviews must not be able to ask for it.
        """
        if request.held_back and CALLER.get().identity.role is not Role.OPERATOR:
            raise RefusedError(Reason.ROLE_FORBIDDEN, "what is held back is shown to operators alone")
        name = _checked(request.account)
        if await asyncio.to_thread(self._runtime.store.accounts.find, name) is None:
            raise RefusedError(Reason.ACCOUNT_UNKNOWN, "there is no such account")
        stored = self._runtime.store.reveals
        reveals = iter(stored.all_of_account(name) if request.held_back else stored.of_account(name))
        while (reveal := await asyncio.to_thread(next, reveals, None)) is not None:
            yield _item(reveal)

    def _counts(self, account: AccountRecord) -> Counts:
        """What the second hash has done with an account's reveals; mostly there are none."""
        return self._runtime.store.reveals.counts(account.name) if account.revealed else Counts(0, 0, 0)


_COMPARISONS = {
    Check.CONFIRMED: pb.COMPARISON_CONFIRMED,
    Check.HELD_BACK: pb.COMPARISON_HELD_BACK,
    Check.UNKNOWN: pb.COMPARISON_UNKNOWN,
}


def _checked(name: str) -> str:
    """An account's name, if it can be one."""
    try:
        encode_account(name)
    except CallerError as error:
        raise RefusedError(Reason.INVALID_REQUEST, str(error)) from None
    return name


def _epoch(epoch: Epoch) -> pb.Epoch:
    manifest = epoch.manifest
    return pb.Epoch(
        number=manifest.epoch,
        manifest_digest=manifest.digest,
        items=manifest.items,
        suite=manifest.suite,
        encoding=manifest.encoding,
        retired=epoch.retired,
        created=_timestamp(manifest.created),
    )


def _account(account: AccountRecord, counts: Counts) -> pb.Account:
    return pb.Account(
        name=account.name,
        vouchers=account.vouchers,
        opened=account.opened,
        revealed=account.revealed,
        flagged=bool(account.flags),
        revoked=account.revoked is not None,
        last_upload=None if account.last_upload is None else _timestamp(account.last_upload),
        held_back=counts.held_back,
        not_compared=counts.waiting,
    )


def _item(reveal: Reveal) -> pb.RevealedItem:
    return pb.RevealedItem(
        voucher_id=reveal.voucher_id,
        associated_data=reveal.associated,
        received=_timestamp(reveal.received),
        epoch=reveal.epoch,
        comparison=_COMPARISONS[reveal.check],
        distance=reveal.distance or 0,
    )


def _timestamp(seconds: float) -> Timestamp:
    made = Timestamp()
    made.FromMilliseconds(round(seconds * 1000))
    return made
