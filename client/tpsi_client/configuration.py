"""What a device fixed at enrolment: whom it talks to and what it accepts (`device.json`)."""

import json
from dataclasses import dataclass, replace
from typing import Self

from tpsi.errors import CallerError, DecodeError
from tpsi.manifest import LIST_ID_SIZE, MAX_NAME
from tpsi.parameters import MAX_PER_MILLION, MAX_THRESHOLD, SyntheticMode
from tpsi.signing import MAX_SIGNATURES, PUBLIC_KEY_SIZE
from tpsi.trust import Pins
from tpsi.voucher import MAX_ACCOUNT, MAX_SIZE_CLASS, encode_account, padded_size
from tpsi_client.endpoint import MAX_CA, Endpoint
from tpsi_client.errors import HomeError
from tpsi_client.files import read_bounded, write_whole
from tpsi_client.home import Home
from tpsi_client.members import Members

VERSION = 1
MAX_FILE = 4 * MAX_CA

#: 4096 octets: a preview of 160 to 200 pixels. Every voucher of a device has the same class, as classes are visible.
DEFAULT_SIZE_CLASS = 13


@dataclass(frozen=True, slots=True)
class Configuration:
    """`size_class` is that of all the device's vouchers (specification, section 7.2)."""

    endpoint: Endpoint
    list_name: str
    account: str
    pins: Pins
    size_class: int = DEFAULT_SIZE_CLASS

    def __post_init__(self) -> None:
        encode_account(self.account)
        padded_size(self.size_class)

    @property
    def identity(self) -> str:
        """What the device's other files are bound to."""
        return f"{self.pins.list_id.hex()} {self.pins.server_key.hex()} {self.account}"

    def renewed(self, endpoint: Endpoint) -> Self:
        """The same device with another address, authority or token of its server."""
        return replace(self, endpoint=endpoint)

    def save(self, home: Home) -> None:
        """Write `device.json`, readable for its owner only. Raises DiskError."""
        pins = self.pins
        value = {
            "tpsi_device": VERSION,
            **self.endpoint.written(),
            "list": pins.list_id.hex(),
            "list_name": self.list_name,
            "server_key": pins.server_key.hex(),
            "auditor_keys": [key.hex() for key in pins.auditor_keys],
            "auditors_needed": pins.auditor_quorum,
            "account": self.account,
            "lowest_threshold": pins.lowest_threshold,
            "least_synthetic": pins.least_synthetic,
            "modes": [mode.value for mode in pins.modes],
            "trusts_separation": pins.trusts_separation,
            "size_class": self.size_class,
        }
        write_whole(home.configuration, json.dumps(value, indent=2).encode("utf-8") + b"\n")

    @classmethod
    def load(cls, home: Home) -> Self:
        """Read `device.json`. Raises NotEnrolledError if there is none, HomeError if it is damaged."""
        home.require_enrolled()
        data = read_bounded(home.configuration, MAX_FILE, "device's configuration")
        try:
            return cls._decode(Members.parse(data, "the device's configuration"))
        except (DecodeError, CallerError) as error:
            raise HomeError(
                f"{home.configuration} is damaged ({error}); "
                "restore it from a backup, or remove it and enrol again with your enrolment file"
            ) from None

    @classmethod
    def _decode(cls, members: Members) -> Self:
        members.integer("tpsi_device", VERSION, VERSION)
        endpoint = Endpoint.read(members)
        pins = Pins(
            list_id=members.octets("list", LIST_ID_SIZE),
            server_key=members.octets("server_key", PUBLIC_KEY_SIZE),
            lowest_threshold=members.integer("lowest_threshold", 1, MAX_THRESHOLD),
            least_synthetic=members.integer("least_synthetic", 0, MAX_PER_MILLION),
            modes=tuple(SyntheticMode(word) for word in members.words("modes", [mode.value for mode in SyntheticMode])),
            auditor_keys=members.octet_strings("auditor_keys", PUBLIC_KEY_SIZE, MAX_SIGNATURES - 1),
            auditors_needed=(
                members.integer("auditors_needed", 0, MAX_SIGNATURES - 1) if members.has("auditors_needed") else None
            ),
            trusts_separation=members.truth("trusts_separation"),
        )
        size_class = members.integer("size_class", 0, MAX_SIZE_CLASS)
        return cls(
            endpoint, members.text("list_name", MAX_NAME), members.text("account", MAX_ACCOUNT), pins, size_class
        )
