"""How predictions are judged."""

from zoomvqa.metrics.agreement import Agreement, agreement
from zoomvqa.metrics.bootstrap import Comparison, compare
from zoomvqa.metrics.video import Figures, VideoScores, constant_value, figures_of

__all__ = [
    "Agreement",
    "Comparison",
    "Figures",
    "VideoScores",
    "agreement",
    "compare",
    "constant_value",
    "figures_of",
]
