"""tpsi on a device: seal what it holds, without showing any of it below the threshold.

    from tpsi_client import Device

    with Device.enrol("home", "alice.json") as device:  # later: Device.open("home")
        device.scan("Pictures")
        device.upload()

`AsyncDevice` is the same, awaitable. `Device.seal(items)` needs no network and returns octets for any transport.
"""

from tpsi import Item, ItemHash
from tpsi_client.device import AsyncDevice, FetchReport
from tpsi_client.enrolling import Choices, Enrolled
from tpsi_client.enrolment import Enrolment
from tpsi_client.errors import (
    DiskError,
    EnrolmentError,
    ForkError,
    HomeError,
    IdentityError,
    LockedError,
    NotEnrolledError,
    SelfCheckError,
    ServiceError,
    UnreachableError,
)
from tpsi_client.scanning import ScanReport
from tpsi_client.service import Patience
from tpsi_client.status import Status
from tpsi_client.sync import Device
from tpsi_client.uploading import UploadReport

__all__ = [
    "AsyncDevice",
    "Choices",
    "Device",
    "DiskError",
    "Enrolled",
    "Enrolment",
    "EnrolmentError",
    "FetchReport",
    "ForkError",
    "HomeError",
    "IdentityError",
    "Item",
    "ItemHash",
    "LockedError",
    "NotEnrolledError",
    "Patience",
    "ScanReport",
    "SelfCheckError",
    "ServiceError",
    "Status",
    "UnreachableError",
    "UploadReport",
]
