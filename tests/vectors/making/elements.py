"""Group elements of a transcript: multiples of the generator, and octets that are no element."""

from tests.vectors.making.stage import Record, Scalars, Stage
from tpsi.groups import P256_SHA256, Group

P256_FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1

RISTRETTO_REFUSED = {
    # named as in RFC 9496, appendix A.2
    "non-canonical: p": "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "non-canonical: 2^255 - 1": "ff" * 31 + "7f",
    "non-canonical: p + 2": "ef" + "ff" * 30 + "7f",
    "negative: 1": "01" + "00" * 31,
    "negative: p - 18": "dbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "not a square": "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
    "negative x·y": "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e",
    "y is zero: p - 1": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}


def element_record(stage: Stage) -> Record:
    """The section `elements`."""
    chosen, scalars = stage.group, Scalars.draw(stage.group, 4, stage.rng)
    one = chosen.encode_scalars([1])
    multiples = chosen.multiply_base(scalars.scalars)
    return {
        "generator": chosen.multiply_base(one).tobytes().hex(),
        "multiples": [scalars.record(i) | {"element": element.tobytes().hex()} for i, element in enumerate(multiples)],
        "refused": [
            {"name": name, "octets": octets} for name, octets in refused(chosen, multiples[0].tobytes()).items()
        ],
    }


def refused(chosen: Group, valid: bytes) -> dict[str, str]:
    """Octets of the right number that are not the canonical encoding of an element other than the identity."""
    identity = {"the identity": "00" * chosen.element_size}
    if chosen.suite != P256_SHA256:
        top = valid[:-1] + bytes([valid[-1] | 0x80])
        return identity | {"top bit set": top.hex()} | RISTRETTO_REFUSED
    large = next(x for x in range(P256_FIELD, 2**256) if is_on_curve(x))
    outside = next(x for x in range(1, 100) if not is_on_curve(x))
    return identity | {
        "x is not below the field's size": "02" + f"{large:064x}",
        "x of no point": "03" + f"{outside:064x}",
        "prefix 00": "00" + valid[1:].hex(),
        "prefix 01": "01" + valid[1:].hex(),
        "prefix 04 of the uncompressed form": "04" + valid[1:].hex(),
        "prefix 06 of the hybrid form": "06" + valid[1:].hex(),
        "all ones": "ff" * 33,
    }


def is_on_curve(x: int) -> bool:
    """Whether a point of P-256 has this x, by Euler's criterion."""
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    return pow(x**3 - 3 * x + b, (P256_FIELD - 1) // 2, P256_FIELD) == 1
