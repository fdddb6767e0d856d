"""Accounts and tokens: who may talk to the server, and as what."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tpsi import Rng, Secret
from tpsi_server.store import Store


class Role(StrEnum):
    """What the bearer of a token may do."""

    DEVICE = "device"
    OPERATOR = "operator"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token stands for. `account` is the account's name for a device, None for every other role."""

    token_id: int
    role: Role
    account: str | None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token; the store keeps only its digest, so this is the one time that it can be read."""

    token_id: int
    token: Secret
    role: Role
    account: str | None
    expires: float | None


class Accounts:
    """Creates accounts, issues and revokes tokens, and tells whom a token stands for."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time, rng: Rng = secrets.token_bytes) -> None:
        self._store = store
        self._clock = clock
        self._rng = rng

    def create(self, name: str) -> None:
        """Add an account of 1 to 64 printable ASCII characters; OperatorError if the name is taken."""
        raise NotImplementedError

    def issue(self, role: Role, account: str | None = None, *, lifetime: float | None = None) -> IssuedToken:
        """A new token. Devices have an account, other roles none; `lifetime` in seconds.

        Raises OperatorError for an unknown or revoked account, CallerError if role and account do not fit.
        """
        raise NotImplementedError

    def authenticate(self, token: str | None) -> Identity:
        """Whom a token stands for.

        Raises RefusedError with TOKEN_MISSING, TOKEN_UNKNOWN, TOKEN_EXPIRED or TOKEN_REVOKED (which a token
        of a revoked account is too).
        """
        raise NotImplementedError

    def revoke_account(self, name: str) -> None:
        """Refuse everything from an account from now on; OperatorError if there is none of this name."""
        raise NotImplementedError

    def revoke_token(self, token_id: int) -> None:
        """Refuse one token from now on; OperatorError if there is none with this number."""
        raise NotImplementedError
