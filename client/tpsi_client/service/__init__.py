"""The device's side of the wire contract: calls over TLS, refusals in plain words, and patience."""

from tpsi_client.service.client import Service
from tpsi_client.service.patience import Patience, Retry

__all__ = ["Patience", "Retry", "Service"]
