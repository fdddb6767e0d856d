"""Writes pdq.json: PDQ hashes of drawn pictures, made by the reference implementation.

Needs `pip install pdqhash`, which compiles the reference; the tests need only what it wrote. From the root
of the repository: `python -m tests.vectors.generate_pdq`
"""

import json
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pdqhash

from tests.pictures.recipes import KINDS, draw

SIZES = (
    *((4, 9), (5, 5), (7, 5), (5, 700), (63, 65), (64, 64), (64, 65), (100, 75)),
    *(
        (127, 128),
        (128, 128),
        (129, 127),
        (256, 257),
        (400, 300),
        (513, 385),
        (1030, 770),
        (2100, 130),
        (90, 2110),
    ),
)


def vector(kind: str, seed: int, width: int, height: int) -> dict[str, object]:
    """What the reference makes of one recipe: digests of the pixels and of the coefficients, and the hash."""
    pixels = draw(kind, seed, width, height)
    bits, quality = pdqhash.compute(pixels)
    result: dict[str, object] = {"kind": kind, "seed": seed, "width": width, "height": height}
    result["pixels_sha256"] = sha256(pixels.tobytes()).hexdigest()
    if min(width, height) >= 5:  # below, the reference leaves the coefficients undefined
        coefficients = pdqhash.compute_float(pixels)[0].astype("<f4")
        result["coefficients_sha256"] = sha256(coefficients.tobytes()).hexdigest()
    return result | {"pdq": np.packbits(bits.astype(np.uint8)).tobytes().hex(), "quality": int(quality)}


def main() -> None:
    """Write the file beside this one."""
    recipes = [(kind, size) for size in SIZES for kind in sorted(KINDS)]
    vectors = [vector(kind, seed, *size) for seed, (kind, size) in enumerate(recipes)]
    document = {
        "source": f"pdqhash {version('pdqhash')}, x86-64 (the compiled reference of ThreatExchange)",
        "generator": "tests/vectors/generate_pdq.py",
        "pictures": "tests/pictures/recipes.py",
        "coefficients": "256 little-endian 32-bit floats in the order of the hash's bits",
    }
    lines = ",\n".join(f"    {json.dumps(entry)}" for entry in vectors)
    head = json.dumps(document, indent=2).removesuffix("\n}")
    Path(__file__).with_name("pdq.json").write_text(f'{head},\n  "vectors": [\n{lines}\n  ]\n}}\n')


if __name__ == "__main__":
    main()
