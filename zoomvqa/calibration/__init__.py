"""From what networks put out to MOS units, and from two branches to one score."""

from zoomvqa.calibration.fusion import BranchScale, FusionScale, fit_fusion
from zoomvqa.calibration.logistic import Logistic, fit_logistic

__all__ = ["BranchScale", "FusionScale", "Logistic", "fit_fusion", "fit_logistic"]
