"""How predictions are judged."""

from zoomvqa.metrics.video import Figures, VideoScores, figures_of

__all__ = ["Figures", "VideoScores", "figures_of"]
