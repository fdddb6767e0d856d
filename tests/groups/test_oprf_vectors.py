"""RFC 9497's vectors, each intermediate compared: hash to group, scalars, multiplication of both suites."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tpsi.groups import LIBRARY, RISTRETTO255_SHA512, Rows, group

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "rfc9497_oprf.json").read_text("utf-8"))
CASES = [
    pytest.param(vectors, vector, id=f"{vectors['identifier']}-mode{vectors['mode']}-{number}")
    for vectors in VECTORS["sets"]
    for number, vector in enumerate(vectors["vectors"], 1)
]


def rows(*encodings: str) -> Rows:
    return np.array([list(bytes.fromhex(encoding)) for encoding in encodings], dtype=np.uint8)


def sized(octets: bytes) -> bytes:
    return len(octets).to_bytes(2, "big") + octets


@pytest.mark.parametrize(("vectors", "vector"), CASES)
def test_blind_evaluate_finalize(vectors: dict[str, Any], vector: dict[str, list[str]], backend: str) -> None:
    suite = group(vectors["suite"], backend if vectors["suite"] == RISTRETTO255_SHA512 else LIBRARY)
    context = b"OPRFV1-" + bytes((vectors["mode"],)) + b"-" + vectors["identifier"].encode()
    assert bytes.fromhex(vectors["group_dst"]) == b"HashToGroup-" + context

    inputs = [bytes.fromhex(text) for text in vector["Input"]]
    blinds = rows(*vector["Blind"])
    hashed = suite.hash_to_group(inputs, b"HashToGroup-" + context)
    blinded = suite.multiply(blinds, hashed)
    assert np.array_equal(blinded, rows(*vector["BlindedElement"]))
    alone = [suite.blind(b[None], [i], b"HashToGroup-" + context) for b, i in zip(blinds, inputs, strict=True)]
    assert np.array_equal(np.concatenate(alone), blinded)
    assert suite.valid(blinded).all()

    evaluated = suite.multiply(rows(vectors["skSm"]), blinded)
    assert np.array_equal(evaluated, rows(*vector["EvaluationElement"]))

    inverses = [pow(blind, -1, suite.order) for blind in suite.decode_scalars(blinds)]
    unblinded = suite.multiply(suite.encode_scalars(inverses), evaluated)
    assert np.array_equal(unblinded, suite.multiply(rows(vectors["skSm"]), hashed))
    outputs = [
        hashlib.new(vectors["hash"], sized(item) + sized(element.tobytes()) + b"Finalize").hexdigest()
        for item, element in zip(inputs, unblinded, strict=True)
    ]
    assert outputs == vector["Output"]


def test_public_keys_are_the_generator_times_the_secret_key() -> None:
    verifiable = [vectors for vectors in VECTORS["sets"] if vectors["mode"] == 1]
    assert len(verifiable) == 2
    for vectors in verifiable:
        public = group(vectors["suite"]).multiply_base(rows(vectors["skSm"]))
        assert np.array_equal(public, rows(vectors["pkSm"]))
