"""Client certificates in the store, and what was revoked of all credentials."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, func, select

from tpsi_server.store import credentials
from tpsi_server.store.clock import from_stored, from_stored_or_none, to_stored
from tpsi_server.store.database import Database, retrying
from tpsi_server.store.schema import accounts, certificates, tokens


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """A certificate, known by its fingerprint. `account_revoked`: when its account was revoked."""

    id: int
    fingerprint: bytes
    role: str
    account: str | None
    created: float
    expires: float
    revoked: float | None
    account_revoked: float | None


class CertificateStore:
    """Client certificates, and a mark by which to see that some credential was revoked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retrying
    def add(
        self, fingerprint: bytes, role: str, account: str | None, *, now: float, expires: float, anchor: bytes | None
    ) -> int | None:
        """Store a certificate; its number, or None if there is no such account, or it is revoked."""
        values = {
            "fingerprint": fingerprint,
            "role": role,
            "created": to_stored(now),
            "expires": to_stored(expires),
            "anchor": anchor,
        }
        with self._database.write() as connection:
            return credentials.issue(connection, certificates, account, values)

    def find(self, fingerprint: bytes) -> CertificateRecord | None:
        """The certificate with this fingerprint."""
        return next(iter(self._select(certificates.c.fingerprint == fingerprint)), None)

    def all(self) -> list[CertificateRecord]:
        """All certificates, in the order in which they came."""
        return self._select(certificates.c.id.is_not(None))

    @retrying
    def revoke(self, number: int, now: float) -> bool:
        """Mark a certificate as revoked; False if there is none of this number. The first time counts."""
        with self._database.write() as connection:
            return credentials.revoke(connection, certificates, certificates.c.id == number, now)

    def anchors(self) -> list[bytes]:
        """The DER of those certificates, not revoked, that have to be trusted by themselves."""
        wanted = certificates.c.anchor.is_not(None) & certificates.c.revoked.is_(None)
        with self._database.read() as connection:
            return list(
                connection.execute(select(certificates.c.anchor).where(wanted).order_by(certificates.c.id)).scalars()
            )

    def revocations(self) -> tuple[int, ...]:
        """A value that changes with every token, certificate or account that is revoked."""
        with self._database.read() as connection:
            counts = (connection.execute(_revoked(table)).scalar_one() for table in (tokens, certificates, accounts))
            return tuple(int(count) for count in counts)

    def _select(self, condition: ColumnElement[bool]) -> list[CertificateRecord]:
        with self._database.read() as connection:
            return [_record(row) for row in credentials.with_accounts(connection, certificates, condition)]


def _revoked(table: Table) -> Any:
    return select(func.count()).select_from(table).where(table.c.revoked.is_not(None))


def _record(row: Any) -> CertificateRecord:
    return CertificateRecord(
        row.id,
        row.fingerprint,
        row.role,
        row.name,
        from_stored(row.created),
        from_stored(row.expires),
        from_stored_or_none(row.revoked),
        from_stored_or_none(row.account_revoked),
    )
