"""Small videos for tests, encoded on the spot."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image

RATE = 12


def clip(path: Path, scenes: Sequence[tuple[Image.Image, float]], codec: str = "mpeg4", size: int = 192) -> Path:
    """A video that shows each picture for so many seconds."""
    frames: Any = av.VideoFrame
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=RATE)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 2_000_000
        stream.codec_context.time_base = Fraction(1, RATE)
        number = 0
        for image, seconds in scenes:
            frame = frames.from_image(image.resize((size, size)))
            for _ in range(round(seconds * RATE)):
                frame.pts = number
                number += 1
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
