"""The gate: every call passes it, and is admitted, answered, or refused with a reason."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import grpc
from google.protobuf.message import DecodeError

from tpsi_server.errors import RefusedError
from tpsi_server.reasons import Reason
from tpsi_server.service import limits, status
from tpsi_server.service.auth import (
    CALLER,
    OPEN,
    ROLES,
    Caller,
    Credentials,
    Directory,
    admit,
    bearer_token,
    peer_fingerprint,
)
from tpsi_server.service.drain import Drain
from tpsi_server.service.limits import FAREWELL
from tpsi_server.service.metrics import Metrics
from tpsi_server.service.overload import Turnstile
from tpsi_server.service.status import Context
from tpsi_server.service.vigil import Vigil
from tpsi_server.service.wire import has_more_fields

if TYPE_CHECKING:
    Handler: TypeAlias = grpc.RpcMethodHandler[Any, Any]
else:  # the class takes no parameters at run time
    Handler = grpc.RpcMethodHandler
Behaviour = Callable[[Any, Context], Any]

#: Stands for a message that is not a protocol buffer of its type.
_UNREADABLE = object()
#: Stands for a message of more fields than any that has a meaning.
_TOO_MANY_FIELDS = object()


class Gate(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Stands before all services of a server.

    What is not in the table of roles is refused. Whatever a servicer raises becomes a status here and nowhere else.
    """

    def __init__(self, directory: Directory, drain: Drain, vigil: Vigil, metrics: Metrics) -> None:
        self._directory = directory
        self._drain = drain
        self._vigil = vigil
        self._metrics = metrics
        self._callers = Turnstile(limits.CALLS_A_CALLER)
        self._open_calls = Turnstile(limits.OPEN_CALLS)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """The handler of a call, with the gate around it."""
        method = str(handler_call_details.method)
        handler = await continuation(handler_call_details)
        if handler is not None and method in OPEN:
            return _rebuilt(handler, self._open(method, handler), limits.MAX_OPEN_MESSAGE)
        if handler is not None and method in ROLES:
            return _rebuilt(handler, self._guarded(method, handler))
        return grpc.stream_stream_rpc_method_handler(_unknown)

    def _guarded(self, method: str, handler: Handler) -> Behaviour:
        async def guarded(messages: AsyncIterator[Any], context: Context) -> Any:
            async with self._admitted(method, context) as caller:
                return await self._vigil.guard(caller, _answered(handler, messages, context))

        return guarded

    @asynccontextmanager
    async def _admitted(self, method: str, context: Context) -> AsyncIterator[Caller]:
        """A block for an admitted caller, whose errors end the call."""
        async with _ending(method, context):
            with self._metrics.call(method):
                async with self._checked(method, context) as caller:
                    yield caller

    @asynccontextmanager
    async def _checked(self, method: str, context: Context) -> AsyncIterator[Caller]:
        """A block for a caller who may make the call, and has a place."""
        self._drain.check()
        token = bearer_token(context.invocation_metadata() or ())
        credentials = Credentials(token, peer_fingerprint(context.auth_context()))
        caller = await asyncio.to_thread(admit, self._directory, method, credentials)
        CALLER.set(caller)
        with self._callers.passing(caller.name):
            yield caller

    def _open(self, method: str, handler: Handler) -> Behaviour:
        """Calls without a token, which may stay open for as long as the server runs; so many for each address."""

        async def open_to_all(messages: AsyncIterator[Any], context: Context) -> Any:
            async with _ending(method, context):
                with self._open_calls.passing(_address(context)):
                    work = _answered(handler, messages, context)
                    return await self._drain.unless_begun(work, farewell=FAREWELL)

        return open_to_all


@asynccontextmanager
async def _ending(method: str, context: Context) -> AsyncIterator[None]:
    """A block whose errors end the call."""
    try:
        yield
    except grpc.aio.BaseError:  # the call has ended: there is nobody to tell
        raise
    except Exception as error:  # whatever it is, its text stays here
        await status.fail(context, method, error)


def _address(context: Context) -> str:
    """Where a call comes from, without the port."""
    return str(context.peer()).rpartition(":")[0]


async def _answered(handler: Handler, messages: AsyncIterator[Any], context: Context) -> Any:
    """Give a behaviour what it takes; its answer, or None if it answers in a stream."""
    replies = _behaviour(handler)(await _taken(handler, messages), context)
    if not handler.response_streaming:
        return await replies
    await (_send_all(replies, context) if hasattr(replies, "aclose") else replies)
    return None


async def _taken(handler: Handler, messages: AsyncIterator[Any]) -> Any:
    """What a behaviour is given: all messages, or the one of a call that has only one, which has to come in time."""
    if handler.request_streaming:
        return _all_readable(messages)
    try:
        async with asyncio.timeout(limits.STALLED):
            return _readable(await anext(messages, _UNREADABLE))
    except TimeoutError:
        raise RefusedError(Reason.CALL_STALLED, "the peer sends nothing") from None


async def _send_all(replies: Any, context: Context) -> None:
    async with aclosing(replies):
        async for reply in replies:
            await _in_time(context.write(reply))


async def _in_time(writing: Awaitable[None]) -> None:
    """Write a message; RefusedError with CALL_STALLED if it is not read."""
    try:
        async with asyncio.timeout(limits.STALLED):
            await writing
    except TimeoutError:
        raise RefusedError(Reason.CALL_STALLED, "the peer does not read") from None


async def _unknown(_request: Any, context: Context) -> None:
    code, text = grpc.StatusCode.UNIMPLEMENTED, "there is no such call"
    await status.refuse(context, Reason.INVALID_REQUEST, code=code, text=text)


def _readable(message: Any) -> Any:
    if message is _UNREADABLE:
        raise RefusedError(Reason.INVALID_REQUEST, "a message is not a protocol buffer")
    if message is _TOO_MANY_FIELDS:
        raise RefusedError(Reason.BATCH_TOO_LARGE, "a message has too many fields")
    return message


async def _all_readable(messages: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for message in messages:
        yield _readable(message)


def _behaviour(handler: Handler) -> Behaviour:
    kinds = handler.unary_unary, handler.unary_stream, handler.stream_unary, handler.stream_stream
    found: Any = next(kind for kind in kinds if kind is not None)
    return cast(Behaviour, found)


def _rebuilt(handler: Handler, behaviour: Behaviour, largest: int = limits.MAX_MESSAGE) -> Handler:
    """A handler that answers alike with another behaviour, which is given a stream of messages in any case.

    So it is called before there is one: gRPC reads the message of a call that has only one by itself, for as long as it
    takes and whoever calls. Messages that cannot be read, or are above `largest` octets, are marked as such.
    """
    streaming = handler.response_streaming
    make = grpc.stream_stream_rpc_method_handler if streaming else grpc.stream_unary_rpc_method_handler
    read: Callable[[bytes], Any] = handler.request_deserializer or bytes

    def lenient(data: bytes) -> Any:
        if has_more_fields(data, limits.MAX_FIELDS):
            return _TOO_MANY_FIELDS
        try:
            return read(data) if len(data) <= largest else _UNREADABLE
        except DecodeError:
            return _UNREADABLE

    return make(behaviour, lenient, handler.response_serializer)
