"""Ways of keeping training frames on disk: how large, how fast to read, and whether they are the same."""

from __future__ import annotations

import io
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.material import make_video
from benchmarks.timing import Rows, paired
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.part_training import PartTraining
from zoomvqa.settings.branch import PartLoading
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.video.reader import Frame
from zoomvqa.views import look_of

_CROP = 320


def cache_rows() -> Rows:
    """Compare formats by the time of one random crop and by size, for the frames of a video at 512 pixels."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        video = make_video(Path(folder) / "v.mp4", 1280, 720)
        training = PartTraining("iqa", look_of(FrameSampling(), FrameView()), PartLoading(cache=False))
        frames = training.kept_frames(LabelledVideo(video.name, video, 0.0, video.name, "train"))
        raw = Path(folder) / "raw.npy"
        np.save(raw, frames)

        def read_raw(index: int) -> Frame:
            return _crop(np.load(raw, mmap_mode="r")[index])

        for name, write, read in _formats():
            kept = [write(frame) for frame in frames]
            same = all(np.array_equal(read(data), frame) for data, frame in zip(kept, frames, strict=True))

            def read_kept(index: int, kept: list[bytes] = kept, read: Callable[[bytes], Frame] = read) -> Frame:
                return _crop(read(kept[index]))

            ours, theirs, ratio = paired(lambda: _all(read_raw, len(frames)), lambda: _all(read_kept, len(frames)))
            size = sum(map(len, kept)) / len(frames) / 1e6
            what = (
                f"a crop of a kept frame: {name}, {size:.2f} MB ({'exact' if same else 'not exact'}); raw array, "
            )
            what += f"{frames[0].nbytes / 1e6:.2f} MB"
            rows.append([what, *(f"{t / len(frames) * 1e3:.2f} ms" for t in (theirs, ours)), f"{ratio:.1f} ×"])
    return rows


def _all(read: Callable[[int], Frame], count: int) -> None:
    for index in range(count):
        read(index)


def _crop(frame: Frame) -> Frame:
    return np.ascontiguousarray(frame[90 : 90 + _CROP, 200 : 200 + _CROP])


def _formats() -> list[tuple[str, Callable[[Frame], bytes], Callable[[bytes], Frame]]]:
    def picture(kind: str, **options: object) -> Callable[[Frame], bytes]:
        def write(frame: Frame) -> bytes:
            held = io.BytesIO()
            Image.fromarray(frame).save(held, kind, **options)
            return held.getvalue()

        return write

    def read(data: bytes) -> Frame:
        return np.asarray(Image.open(io.BytesIO(data)))

    def inflate(data: bytes) -> Frame:
        return np.load(io.BytesIO(zlib.decompress(data)))

    def deflate(frame: Frame) -> bytes:
        held = io.BytesIO()
        np.save(held, frame)
        return zlib.compress(held.getvalue(), 1)

    return [
        ("PNG", picture("png"), read),
        ("PNG, fastest", picture("png", compress_level=1), read),
        ("WebP, lossless", picture("webp", lossless=True), read),
        ("JPEG, quality 95", picture("jpeg", quality=95, subsampling=0), read),
        ("zlib of the array", deflate, inflate),
    ]
