"""Signing manifests and what is none: the shape of the acceptance cases, and envelopes for them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.vectors.making.stage import Epoch, Record, Signer, Stage
from tpsi import Role, Seen, canonical
from tpsi.signing import _message

Edit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Case:
    """What a device is shown. `epoch`: whose table file it gets, unless `content` says otherwise."""

    name: str
    refused_by_check: int | None
    envelope: str
    policy: int = 0
    epoch: int = 0
    seen: Seen | None = None
    between: tuple[str, ...] = ()
    content: bytes | None = None


class Signing:
    """Signs whatever text it is given, manifest or not."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.server, self.auditor = stage.server, stage.auditor
        self.stranger = Signer(Role.SERVER, stage.rng(32))

    def entry(self, text: str, signer: Signer, role: Role | None = None) -> Record:
        """One signature."""
        named = role or signer.role
        signature = signer.private.sign(_message(named, text.encode()))
        return {"key": signer.public.hex(), "role": named.value, "signature": signature.hex()}

    def text(self, text: str, entries: Sequence[Record] | None = None) -> str:
        """An envelope, with the server's signature unless others are given."""
        signed = [self.entry(text, self.server)] if entries is None else entries
        return canonical.encode({"manifest": text, "signatures": list(signed)}).decode()

    def edited(self, epoch: Epoch, edit: Edit) -> str:
        """The envelope of an epoch's manifest with an edited member, signed again."""
        value = json.loads(epoch.manifest.encoded)
        edit(value)
        return self.text(canonical.encode(value).decode())


def put(value: object, *path: str) -> Edit:
    """Sets the member at a path."""

    def edit(members: dict[str, Any]) -> None:
        for name in path[:-1]:
            members = members[name]
        members[path[-1]] = value

    return edit


def drop(name: str) -> Edit:
    """Removes a member."""
    return lambda members: members.pop(name)
