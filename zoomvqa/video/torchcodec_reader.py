"""Frames through torchcodec, which decodes with the FFmpeg libraries that the system has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import ToolError, VideoError
from zoomvqa.video.container import main_video, open_container
from zoomvqa.video.pyav_reader import first_turn
from zoomvqa.video.timeline import Timeline

_USE = "use reader=auto or reader=pyav"


def torchcodec_misreads(timeline: Timeline) -> str:
    """Name what in this file torchcodec is known to get wrong, or return an empty string.

    Measured on torchcodec 0.17 with FFmpeg 5.1: MPEG-TS and MPEG-PS, AVI and other files with frames without
    times or with several of one time end in an error, or in another frame than the one asked for.
    """
    formats = set(timeline.container.split(","))
    odd = sorted(formats & {"mpegts", "mpeg", "avi", "h264", "hevc"})
    if odd:
        return f"the container {odd[0]}"
    if timeline.varies:
        return "a stream whose parameters change midway"
    if not timeline.timed or len(set(timeline.pts)) < len(timeline):
        return "frames without a time of their own"
    return ""


def torchcodec_decoder() -> Any:
    """Return torchcodec's `VideoDecoder`.

    Raises:
        ToolError: the package, or the FFmpeg libraries that it needs, are not there.
    """
    libraries: object = None
    try:
        import torchcodec  # noqa: PLC0415  optional, and it loads libraries
        from torchcodec.decoders import VideoDecoder  # noqa: PLC0415

        libraries = torchcodec.ffmpeg_major_version
    except ImportError:
        raise ToolError("reader=torchcodec needs a package: pip install 'zoomvqa[torchcodec]'") from None
    except (RuntimeError, OSError):  # versions that do not wait for a file to be opened
        pass
    if libraries is None:
        raise ToolError(
            "reader=torchcodec finds no FFmpeg libraries (4 to 9) on this system, or does not fit this torch: "
            "apt-get install ffmpeg, conda install ffmpeg or brew install ffmpeg"
        )
    return VideoDecoder


class TorchCodecReader:
    """A file opened by torchcodec; see `zoomvqa.video.reader.VideoReader`.

    Raises:
        ToolError: see `torchcodec_decoder`.
        VideoError: torchcodec cannot open the file, or misreads it.
    """

    def __init__(self, path: Path, timeline: Timeline) -> None:
        self._path, self._timeline, self._upright = path, timeline, False
        decoder = torchcodec_decoder()
        with open_container(path) as container:
            stream = main_video(container).index
        try:
            self._decoder: Any = decoder(str(path.absolute()), stream_index=stream, dimension_order="NHWC")
        except (RuntimeError, ValueError) as error:
            raise VideoError(f"torchcodec cannot open it: {_first_line(error)}; {_USE}") from None
        if len(self._decoder) != len(timeline):
            found = len(self._decoder)
            raise VideoError(f"torchcodec counts {found} frames where the file shows {len(timeline)}; {_USE}")

    def read(self, indices: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        """Yield frames.

        Raises:
            VideoError: a frame does not decode, or the pictures are seen in a mirror, which torchcodec leaves so.
        """
        if not self._upright:
            turn = first_turn(self._path)
            if turn is not None and not turn.is_rotation:
                raise VideoError(f"torchcodec does not read mirrored pictures correctly; {_USE}")
            self._upright = True
        for index in indices:
            try:
                frame = self._decoder.get_frame_at(index).data
            except (RuntimeError, ValueError, IndexError) as error:
                raise VideoError(f"frame {index} does not decode: {_first_line(error)}") from None
            yield np.ascontiguousarray(frame.numpy())


def _first_line(error: BaseException) -> str:
    """Return the part of torchcodec's message that is about the file, not about its own source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rsplit(", ", 1)[-1] if lines else type(error).__name__
