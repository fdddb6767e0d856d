"""The contents of a file of audits (section 15)."""

from tests.support.drbg import Drbg
from tests.vectors.making.audit_cases import Cases
from tests.vectors.making.audit_tables import Audit
from tests.vectors.making.stage import Record, digest
from tpsi.audit import Reason


def audits(suite: str, encoding: str) -> Record:
    """The contents of one file."""
    seed = f"tpsi audit {suite} {encoding}"
    rng = Drbg(seed)
    items = [digest("md5", number, 16) for number in range(8)] + [digest("sha512", n, 64) for n in range(4)]
    made = [Audit.make(suite, encoding, items, 2, rng), Audit.make(suite, encoding, [], 1, rng)]
    cases = Cases(made).records()
    seen = {case["result"] for case in cases}
    expected = {reason.value for reason in Reason} - {Reason.TABLE_SIZE.value} | {"ACCEPTED", "MALFORMED"}
    if seen != expected:
        raise LookupError(f"cases are missing, or too many: {seen ^ expected}")
    return {
        "format": "tpsi audit 1",
        "source": "protocol/SPEC.md, section 15; made by tests/vectors/generate.py",
        "seed": seed,
        "suite": suite,
        "encoding": encoding,
        "tables": [audit.record() for audit in made],
        "cases": cases,
    }
