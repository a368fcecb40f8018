"""Graphs of FFmpeg's filters, fed with decoded frames as the ffmpeg program feeds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from av.filter import Graph


def filter_graph(frame: Any, steps: Sequence[tuple[str, str]]) -> Any:
    """Return a graph that frames are pushed into and pulled out of.

    Args:
        frame: the first one; all must have its size, pixel format and colours.
        steps: names of filters, and their options.

    Raises:
        av.FFmpegError: a filter cannot work on such frames.
    """
    graph = Graph()
    last = graph.add(
        "buffer",
        video_size=f"{frame.width}x{frame.height}",
        pix_fmt=frame.format.name,
        time_base="1/1000",
        pixel_aspect="1/1",
        colorspace=str(int(frame.colorspace)),
        range=str(int(frame.color_range)),
    )
    for name, options in [*steps, ("buffersink", "")]:
        filter_ = graph.add(name, options) if options else graph.add(name)
        last.link_to(filter_)
        last = filter_
    graph.configure()
    return graph
