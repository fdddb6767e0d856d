"""The enrolment file: all that an operator gives to the owner of a device."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tpsi.errors import CallerError, DecodeError
from tpsi.manifest import LIST_ID_SIZE, MAX_NAME
from tpsi.parameters import MAX_THRESHOLD
from tpsi.signing import MAX_SIGNATURES, PUBLIC_KEY_SIZE
from tpsi.trust import check_auditors
from tpsi.voucher import MAX_ACCOUNT, encode_account
from tpsi_client.endpoint import MAX_CA, Endpoint
from tpsi_client.errors import EnrolmentError
from tpsi_client.files import read_bounded
from tpsi_client.members import Members

VERSION = 1
#: The authority's certificates, the device's own, escaped, and a few hundred characters more.
MAX_FILE = 4 * MAX_CA
_WHAT = "the enrolment file"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One account's way to one list: the server, the list's identity and signing key, the account and its token.

    `lowest_threshold`, `auditor_keys` and `auditors_needed` (None: all): what the operator suggests that devices pin.
    """

    endpoint: Endpoint
    list_id: bytes
    list_name: str
    server_key: bytes
    account: str
    lowest_threshold: int | None
    auditor_keys: tuple[bytes, ...] = ()
    auditors_needed: int | None = None

    def __post_init__(self) -> None:
        encode_account(self.account)
        check_auditors(self.auditor_keys, self.auditors_needed)
        if not self.list_name.isprintable():
            raise DecodeError(f'in {_WHAT}, "list_name" holds characters that can\'t be printed')

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the file's JSON. Raises EnrolmentError saying which member is wrong."""
        try:
            return cls._decode(Members.parse(data, _WHAT))
        except (DecodeError, CallerError) as error:
            raise EnrolmentError(f"{error}; name another, or ask the operator for a new enrolment file") from None

    @classmethod
    def _decode(cls, members: Members) -> Self:
        if not members.has("tpsi_enrolment"):
            raise DecodeError("this is not an enrolment file")
        members.integer("tpsi_enrolment", VERSION, VERSION)
        suggested = members.has("lowest_threshold")
        return cls(
            Endpoint.read(members),
            members.octets("list", LIST_ID_SIZE),
            members.text("list_name", MAX_NAME),
            members.octets("server_key", PUBLIC_KEY_SIZE),
            members.text("account", MAX_ACCOUNT),
            members.integer("lowest_threshold", 1, MAX_THRESHOLD) if suggested else None,
            members.octet_strings("auditor_keys", PUBLIC_KEY_SIZE, MAX_SIGNATURES - 1)
            if members.has("auditor_keys")
            else (),
            members.integer("auditors_needed", 0, MAX_SIGNATURES - 1) if members.has("auditors_needed") else None,
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file. Raises HomeError if it can't be read, EnrolmentError if it is not an enrolment file."""
        return cls.decode(read_bounded(path, MAX_FILE, "enrolment file"))
