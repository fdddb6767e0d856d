"""Frames of a video, one for each scene, that stand for it: hashed like pictures (specification, section 14.5)."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tpsi.errors import CallerError
from tpsi.pictures.errors import PictureError, missing, printable, unusable
from tpsi.pictures.picture import Picture

if TYPE_CHECKING:
    from PIL import Image

#: What phones, browsers and messengers write, by extension. A container is read as what its name says, and as nothing
#: else: formats that open other files or addresses, such as playlists, stay out.
CONTAINERS = {
    ".avi": "avi",
    ".m4v": "mov",
    ".mkv": "matroska",
    ".mov": "mov",
    ".mp4": "mov",
    ".webm": "matroska",
}
CODECS = frozenset(("av1", "h264", "hevc", "mpeg4", "vp8", "vp9"))

#: Samples are this many seconds apart.
STEP = 0.25
#: A scene ends where the mean luma difference of two samples, 16 x 16 values each, is above this.
CUT = 20.0
#: A scene is shown by its third sample, so that a fade or an encoder's first frame does not matter.
SETTLED = 2
_SIDE = 16

Small = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """Bounds on one video: scenes that are hashed, seconds that are looked at, frames decoded, pixels a frame."""

    max_scenes: int = 64
    max_seconds: float = 1200.0
    max_frames: int = 80_000
    max_pixels: int = 9_000_000

    def __post_init__(self) -> None:
        if min(self.max_scenes, self.max_seconds, self.max_frames, self.max_pixels) <= 0:
            raise CallerError("limits on a video's scenes, seconds, frames and pixels are positive")


_DEFAULT = VideoLimits()


def is_video(path: Path) -> bool:
    """Whether a file's name is that of a video."""
    return path.suffix.lower() in CONTAINERS


def scenes(path: Path, limits: VideoLimits = _DEFAULT) -> Iterator[Picture]:
    """One picture for every scene of a video, in order, named by file and second.

    What lies beyond the limits is not looked at. Raises PictureError if the file is no video that can be decoded, also
    after some scenes; ExtraMissingError if there is no PyAV.
    """
    shown = 0
    waiting: tuple[float, Image.Image] | None = None
    before: Small | None = None
    age = 0
    for second, image in _samples(path, limits):
        small = _small(image)
        if before is None or float(np.abs(small - before).mean()) > CUT:
            if waiting is not None:
                yield _picture(path, *waiting)
                shown += 1
            waiting, age = (second, image), 0
        elif waiting is not None:
            age += 1
            waiting = (second, image)
            if age == SETTLED:
                yield _picture(path, *waiting)
                shown += 1
                waiting = None
        if shown == limits.max_scenes:
            return
        before = small
    if waiting is not None:
        yield _picture(path, *waiting)


def _picture(path: Path, second: float, image: "Image.Image") -> Picture:
    return Picture.of_image(image, f"{path.name} at {second:.2f} s")


def _samples(path: Path, limits: VideoLimits) -> Iterator[tuple[float, "Image.Image"]]:
    """The first frame at or after every multiple of STEP: its second, and its pixels, upright."""
    due = 0.0
    for frame in _frames(path, limits):
        second = float(frame.time or 0.0)
        if second >= due:
            yield second, _upright(frame)
            due = (second // STEP + 1) * STEP


def _frames(path: Path, limits: VideoLimits) -> Iterator[Any]:
    """Decoded frames in order of presentation, within the limits."""
    av = _library()
    try:
        container_format = CONTAINERS[path.suffix.lower()]
        with path.open("rb") as stream, av.open(stream, format=container_format, io_open=_refuse) as container:
            if not container.streams.video:
                raise unusable(path.name, "no video in it")
            video = container.streams.video[0]
            codec = video.codec_context.codec.canonical_name
            if codec not in CODECS:
                raise unusable(path.name, f"videos in {codec} are not decoded here")
            for number, frame in enumerate(container.decode(video)):
                if frame.width * frame.height > limits.max_pixels:
                    size = f"{frame.width} x {frame.height} pixels"
                    raise unusable(path.name, f"{size}, the limit is {limits.max_pixels}")
                if number == limits.max_frames or float(frame.time or 0.0) > limits.max_seconds:
                    return
                yield frame
    except PictureError:
        raise
    except Exception as error:  # FFmpeg's errors are of many classes
        reason = printable(getattr(error, "strerror", None) or type(error).__name__)
        raise unusable(path.name, f"not a video that can be decoded ({reason})") from None


def _refuse(*_: object) -> None:
    """What a container gets that asks for another file."""
    raise PermissionError("a video may not open other files")


def _upright(frame: Any) -> "Image.Image":
    from PIL import Image

    image: Image.Image = frame.to_image()
    turns = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
    turn = turns.get(int(frame.rotation) % 360)
    return image if turn is None else image.transpose(turn)


def _small(image: "Image.Image") -> Small:
    from PIL import Image

    small: Small = np.asarray(image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX), np.float64)
    return small


def _library() -> Any:
    try:
        import av
    except ModuleNotFoundError:
        raise missing("PyAV", "video") from None
    with suppress(AttributeError):
        av.logging.set_level(av.logging.PANIC)
    return av
