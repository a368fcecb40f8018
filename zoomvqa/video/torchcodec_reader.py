"""Frames through torchcodec, which decodes with the FFmpeg libraries that the system has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoomvqa.errors import ToolError, VideoError
from zoomvqa.video.container import main_video, open_container
from zoomvqa.video.counting import first_of_plain
from zoomvqa.video.timeline import Timeline

_USE = "use reader=auto or reader=pyav"


def torchcodec_doubts(path: Path, line: Timeline) -> str:
    """Name what in this file torchcodec is not proven to read right, or return an empty string.

    Measured on torchcodec 0.17 with FFmpeg 5.1: MPEG-TS and MPEG-PS, AVI and other files with frames without
    times or with several of one time end in an error, or in another frame than the one asked for. It applies no
    cropping of the container's, leaves mirrored pictures so, and does not tell which frames are corrupt.
    """
    formats = set(line.container.split(","))
    doubts = {
        f"the container {line.container.split(',')[0]}": not formats & {"mov", "matroska"},
        "a stream whose parameters change midway": line.varies,
        "frames without a time of their own": not line.timed or len(set(line.pts)) < len(line),
        "pictures that the container crops": any(line.crop),
        "packets that are no frames": line.counted,
    }
    found = next((doubt for doubt, is_there in doubts.items() if is_there), "")
    return found or ("" if first_of_plain(path, len(line)) else "damaged, turned or interlaced pictures")


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
        VideoError: torchcodec cannot open the file.
    """

    def __init__(self, path: Path, timeline: Timeline) -> None:
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
            VideoError: a frame does not decode.
        """
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
