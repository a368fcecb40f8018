"""What branches look at: which frames of a video, and which pixels of them.

One implementation serves training, validation, scoring and fusion.
"""

from zoomvqa.views.base import Look, Sampling, Span, View, look_of
from zoomvqa.views.taker import PartTaker

__all__ = ["Look", "PartTaker", "Sampling", "Span", "View", "look_of"]
