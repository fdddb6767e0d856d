"""A deterministic generator for tests and vectors: never used outside of them."""

import hashlib


class Drbg:
    """`Drbg(seed)(n)`: the next n octets of SHAKE256 streams, one stream a call: `SHAKE256(seed ‖ u64(call))`."""

    def __init__(self, seed: bytes | str) -> None:
        self._seed = seed.encode() if isinstance(seed, str) else seed
        self._calls = 0

    def __call__(self, size: int) -> bytes:
        block = hashlib.shake_256(self._seed + self._calls.to_bytes(8, "big")).digest(size)
        self._calls += 1
        return block
