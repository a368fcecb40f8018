"""What one video file is: its size, length and pictures' prints, and what decoders complain of."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.logging
import numpy as np
from numpy.typing import NDArray

from zoomvqa.data.prints import picture_print
from zoomvqa.errors import VideoError
from zoomvqa.video.container import first_line, main_video, open_container
from zoomvqa.video.counting import decode_all
from zoomvqa.video.raw_reader import ENDING
from zoomvqa.video.reader import ReaderName, Video
from zoomvqa.views.store import open_store

_CHUNK = 1 << 20
_TOLD = 3


@dataclass(frozen=True)
class Question:
    """A file to look at.

    Attributes:
        path: of the video, or of a folder of frames.
        reader: the decoder that training would use.
        decode: decode all of it, not the first frame alone.
    """

    path: str
    reader: ReaderName
    decode: bool


@dataclass(frozen=True)
class Probe:
    """What was found; where `error` is not empty, the rest may be missing.

    Attributes:
        error: why it cannot be used.
        complaints: of the decoder, each with how often.
        reader: the decoder that would read it.
        codec: FFmpeg's name.
        seconds: from the first frame to the end of the last.
        fps: frames a second on average.
        frames: how many.
        width: in pixels, as stored.
        height: likewise.
        bytes: of the file.
        digest: of the file's bytes; equal for copies.
        prints: of the first, the middle and the last frame, hexadecimal.
    """

    error: str = ""
    complaints: tuple[str, ...] = ()
    reader: str = ""
    codec: str = ""
    seconds: float = 0.0
    fps: float = 0.0
    frames: int = 0
    width: int = 0
    height: int = 0
    bytes: int = 0
    digest: str = ""
    prints: str = ""


def probe(question: Question) -> Probe:
    """Look at a file; one that cannot be read is no exception."""
    path = Path(question.path)
    try:
        if path.is_dir() or path.suffix.lower() == ENDING:
            return _still_or_raw(path, question)
        return _video(path, question)
    except (VideoError, OSError) as error:
        return Probe(error=" ".join(str(error).split()))


def _still_or_raw(path: Path, question: Question) -> Probe:
    store = open_store(path, question.reader)
    line = store.timeline
    wanted = sorted({0, len(line) // 2, len(line) - 1}) if question.decode else [0]
    pictures = [np.asarray(frame) for frame in store.frames(wanted)]
    prints = "".join(_hexadecimal(picture.mean(axis=2)) for picture in pictures)
    height, width = pictures[0].shape[:2]
    if path.is_dir():  # when its pictures were shown is not known
        return Probe("", (), store.reader, "pictures", 0.0, 0.0, len(line), width, height, 0, "", prints)
    seconds = len(line) * float(line.time_base)
    return Probe("", (), store.reader, line.codec, seconds, len(line) / seconds, len(line), width, height,
                 path.stat().st_size, _digest(path), prints)  # fmt: skip


def _video(path: Path, question: Question) -> Probe:
    video = Video(path, question.reader)
    next(iter(video.frames([0])))  # the decoder of training reads it, too
    line, error, prints, said = video.timeline, "", "", list[tuple[int, str, str]]()
    if question.decode:
        count, prints, said = _decode(path, len(line))
        error = f"only {count} of {len(line)} frames decode" if count < len(line) else ""
    end = max(map(sum, zip(line.pts, line.durations, strict=True)))
    if len(line) > 1 and not any(line.durations):
        end += (line.pts[-1] - line.pts[0]) // (len(line) - 1)
    seconds = float((end - line.pts[0]) * Fraction(line.time_base))
    fps = len(line) / seconds if seconds > 0 else 0.0
    return Probe(error, _complaints(said), video.reader, line.codec, seconds, fps, len(line), line.width,
                 line.height, path.stat().st_size, _digest(path), prints)  # fmt: skip


def _decode(path: Path, frames: int) -> tuple[int, str, list[tuple[int, str, str]]]:
    """Decode all frames; return how many there are, the prints of three, and what the decoder says."""
    wanted, prints, count = {0, frames // 2, frames - 1}, [], 0
    # One thread decodes: several that log would wait for this one, which waits for them.
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture(local=False) as said, open_container(path) as container:
            for picture, is_sound in decode_all(container, main_video(container)):
                if count in wanted:
                    prints.append(_hexadecimal(picture.to_ndarray(format="gray")))
                count += is_sound
    except (av.FFmpegError, ValueError) as error:
        raise VideoError(f"frame {count} of {frames} does not decode: {first_line(error)}") from None
    finally:
        av.logging.set_level(None)
    return count, "".join(prints), list(said)


def _hexadecimal(grey: NDArray[np.floating] | NDArray[np.uint8]) -> str:
    return picture_print(grey).tobytes().hex()


def _digest(path: Path) -> str:
    found = hashlib.blake2b(digest_size=16)
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def _complaints(said: list[tuple[int, str, str]]) -> tuple[str, ...]:
    # The scaler's are of making the prints.
    lines = [(name, text) for level, name, text in said if level <= av.logging.WARNING and name != "swscaler"]
    counts = Counter(f"{name}: {' '.join(text.split())}" for name, text in lines)
    told = tuple(f"{text} ({times}×)" if times > 1 else text for text, times in counts.most_common(_TOLD))
    return told if len(counts) <= _TOLD else (*told, f"and {len(counts) - _TOLD} other complaints")
