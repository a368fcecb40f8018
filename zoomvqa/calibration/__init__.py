"""From what networks put out to MOS units, and from several branches to one score."""

from zoomvqa.calibration.fusion import BranchScale, FusionScale, fit_fusion
from zoomvqa.calibration.logistic import Logistic, fit_logistic
from zoomvqa.calibration.simplex import fit_weights
from zoomvqa.calibration.unit import Unit

__all__ = ["BranchScale", "FusionScale", "Logistic", "Unit", "fit_fusion", "fit_logistic", "fit_weights"]
