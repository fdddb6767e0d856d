"""Videos: one frame a scene, the same ones after re-encoding, and bounds on hostile files."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.pictures.clips import clip
from tests.pictures.files import photograph
from tpsi.errors import CallerError
from tpsi.pictures import Picture, PictureError, VideoLimits, hasher, is_video, scan, scenes

PHOTOS = [photograph(name) for name in ("astronaut", "coffee", "chelsea")]
SHOWN = [(image, 1.5) for image in PHOTOS]


def looks_like(picture: Picture, image: Image.Image) -> bool:
    """Whether a frame shows a photograph, by the probes of its hash."""
    small = Picture.of_image(image.resize((192, 192)), "original")
    return hasher("dct80").hash(small) in hasher("dct80").probes(picture, 64)


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "mpeg4"), ("a.webm", "libvpx"), ("a.mkv", "h264"), ("a.avi", "mpeg4")]
)
def test_one_frame_for_each_scene(tmp_path: Path, name: str, codec: str) -> None:
    found = list(scenes(clip(tmp_path / name, SHOWN, codec)))
    assert len(found) == 3
    for number, (picture, image) in enumerate(zip(found, PHOTOS, strict=True)):
        assert looks_like(picture, image)
        assert picture.name == f"{name} at {1.5 * number + 0.5:.2f} s"


def test_a_short_scene_and_the_last_one_are_shown_by_their_last_sample(tmp_path: Path) -> None:
    found = list(scenes(clip(tmp_path / "a.mp4", [(PHOTOS[0], 0.3), (PHOTOS[1], 1.0), (PHOTOS[2], 0.4)])))
    assert [looks_like(picture, image) for picture, image in zip(found, PHOTOS, strict=True)] == [True] * 3


def test_a_still_clip_is_one_scene(tmp_path: Path) -> None:
    assert len(list(scenes(clip(tmp_path / "a.mp4", [(PHOTOS[0], 4.0)])))) == 1


def test_scenes_seconds_and_frames_are_bounded(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", [(PHOTOS[number % 3], 1.0) for number in range(6)])
    assert len(list(scenes(path))) == 6
    assert len(list(scenes(path, VideoLimits(max_scenes=2)))) == 2
    assert len(list(scenes(path, VideoLimits(max_seconds=2.9)))) == 3
    assert len(list(scenes(path, VideoLimits(max_frames=12)))) == 1
    with pytest.raises(PictureError, match="192 x 192 pixels, the limit is 1000"):
        list(scenes(path, VideoLimits(max_pixels=1000)))
    with pytest.raises(CallerError):
        VideoLimits(max_scenes=0)


@pytest.mark.parametrize(
    "content", [b"", b"no video", b"#EXTM3U\nfile:///etc/passwd\n", b"ffconcat version 1.0\nfile x\n"]
)
@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.avi"])
def test_other_content_under_a_video_s_name_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    """Playlists among it: a container is read as what its name says, and may not open other files."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PictureError, match=rf"{name}: .*; skipped"):
        list(scenes(path))


def test_truncated_and_corrupted_clips_end_in_frames_or_one_kind_of_error(tmp_path: Path) -> None:
    whole = clip(tmp_path / "whole.mkv", SHOWN, "h264").read_bytes()
    broken = tmp_path / "broken.mkv"
    for part in (0.2, 0.5, 0.9):
        for damage in (0, 997):
            data = bytearray(whole[: int(len(whole) * part)])
            for place in range(500, len(data) if damage else 0, damage or 1):
                data[place] ^= 0x55
            broken.write_bytes(data)
            try:
                found = list(scenes(broken))
            except PictureError:
                continue
            assert len(found) <= 64


def test_a_codec_that_is_not_on_the_list_is_not_run(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.avi", SHOWN[:1], "ffv1")
    with pytest.raises(PictureError, match="ffv1 are not decoded"):
        list(scenes(path))


def test_videos_are_told_by_their_extension_and_scanned_on_demand(tmp_path: Path) -> None:
    for name in ("a.MP4", "b.jpg", "c.txt", "d.mov"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in scan(tmp_path)] == ["b.jpg"]
    assert [path.name for path in scan(tmp_path, videos=True)] == ["a.MP4", "b.jpg", "d.mov"]
    assert is_video(tmp_path / "a.MP4")
    assert not is_video(tmp_path / "b.jpg")


def test_without_pyav_the_message_says_what_to_install(tmp_path: Path) -> None:
    code = f"""
import sys
sys.modules["av"] = None
from pathlib import Path
from tpsi.pictures import ExtraMissingError, scenes
try:
    list(scenes(Path({str(tmp_path / "a.mp4")!r})))
except ExtraMissingError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'tpsi[video]'" in run.stdout
