"""Audit: proofs that a table holds exactly a list, and that named items are not in it (specification, section 15).

`prove_table` → `verify_table` is between a server and an auditor who holds the list; `prove_absences` →
`verify_absences` between a server and anybody who holds the table.
"""

from tpsi.audit.absence import prove_absences, verify_absences
from tpsi.audit.errors import AuditError, Reason
from tpsi.audit.lists import check_list, list_digest
from tpsi.audit.proofs import MAX_NAMES, AbsenceProof, TableProof
from tpsi.audit.sources import ListSignature, blinded_digest, sign_list
from tpsi.audit.table import AuditedTable, prove_table, verify_table

__all__ = [
    "MAX_NAMES",
    "AbsenceProof",
    "AuditError",
    "AuditedTable",
    "ListSignature",
    "Reason",
    "TableProof",
    "blinded_digest",
    "check_list",
    "list_digest",
    "prove_absences",
    "prove_table",
    "sign_list",
    "verify_absences",
    "verify_table",
]
