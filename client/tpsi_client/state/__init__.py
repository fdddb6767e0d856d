"""What a device must not lose: vouchers on their way, the memory of what was sealed, the manifests it has seen."""

from tpsi_client.state.chain import Link
from tpsi_client.state.memory import FileMark, FileMarks
from tpsi_client.state.outbox import Counts, NewVoucher, Queued, Sealing
from tpsi_client.state.store import State

__all__ = ["Counts", "FileMark", "FileMarks", "Link", "NewVoucher", "Queued", "Sealing", "State"]
