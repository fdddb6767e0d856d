"""The doctor: looks at a server and tells a person what is wrong, and what to do."""

from tpsi_server.doctor.finding import Finding, Level
from tpsi_server.doctor.server import examine_server

__all__ = ["Finding", "Level", "examine_server"]
