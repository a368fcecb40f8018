"""The commands; the only part that knows Hydra."""

from zoomvqa.streams import open_closed_streams

open_closed_streams()  # before anything is imported that opens files
