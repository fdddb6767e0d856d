"""Writes dct.json: the DCT hashes and first probes of drawn pictures. From the repository's root:
`python -m tests.vectors.generate_dct`

The hashes follow from section 14 of the specification alone; `tests/pictures/test_dct.py` spells it out a second time.
"""

import json
from hashlib import sha256
from pathlib import Path

from PIL import Image

from tests.pictures.recipes import KINDS, draw
from tpsi.pictures import DCT_BITS, probes
from tpsi.pictures.dct import dct_coefficients

SIZES = ((5, 5), (47, 49), (48, 48), (64, 65), (400, 300), (513, 385), (2100, 130))


def vector(kind: str, seed: int, width: int, height: int) -> dict[str, object]:
    """The hashes of one recipe, whether or not their quality admits them, and sixteen probes of `dct80`."""
    pixels = draw(kind, seed, width, height)
    result: dict[str, object] = {"kind": kind, "seed": seed, "width": width, "height": height}
    result["pixels_sha256"] = sha256(pixels.tobytes()).hexdigest()
    for bits in DCT_BITS:
        coefficients = dct_coefficients(Image.fromarray(pixels), bits)
        result[f"dct{bits}"] = {"hash": coefficients.digest().hex(), "quality": coefficients.quality}
        if bits == 80 and coefficients.quality >= 75:
            result["probes"] = [digest.hex() for digest in probes(coefficients, 16)]
    return result


def main() -> None:
    """Write the file beside this one."""
    recipes = [(kind, size) for size in SIZES for kind in sorted(KINDS)]
    vectors = [vector(kind, seed, *size) for seed, (kind, size) in enumerate(recipes)]
    document = {
        "source": "protocol/SPEC.md, section 14",
        "generator": "tests/vectors/generate_dct.py",
        "pictures": "tests/pictures/recipes.py",
    }
    lines = ",\n".join(f"    {json.dumps(entry)}" for entry in vectors)
    head = json.dumps(document, indent=2).removesuffix("\n}")
    Path(__file__).with_name("dct.json").write_text(f'{head},\n  "vectors": [\n{lines}\n  ]\n}}\n')


if __name__ == "__main__":
    main()
