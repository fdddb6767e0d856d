"""Distinct photographs for tests, cut from those that come with scikit-image."""

from tests.pictures.files import encode, photograph

SIDE = 128


def make_pictures(count: int) -> list[bytes]:
    """JPEG files of different regions of pictures."""
    files: list[bytes] = []
    for name in ("astronaut", "coffee", "chelsea"):
        image = photograph(name)
        for top in range(0, image.height - SIDE, SIDE):
            for left in range(0, image.width - SIDE, SIDE):
                files.append(encode(image.crop((left, top, left + SIDE, top + SIDE)), "JPEG", quality=85))
                if len(files) == count:
                    return files
    raise ValueError("there are not so many regions")
