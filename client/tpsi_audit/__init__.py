"""tpsi for auditors: check what a server publishes, without the server's program, and sign what holds."""

from tpsi_audit.admission import Admission, check_admission
from tpsi_audit.errors import AuditorError, RefusedError
from tpsi_audit.package import Package
from tpsi_audit.verifying import Report, verify

__all__ = ["Admission", "AuditorError", "Package", "RefusedError", "Report", "check_admission", "verify"]
