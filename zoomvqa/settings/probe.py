"""Settings of the probe, the line to beat."""

from __future__ import annotations

from pydantic import PositiveFloat, PositiveInt, field_validator

from zoomvqa.settings.base import Settings
from zoomvqa.settings.iqa import FrameSampling, FrameView, within_resize


class Probe(Settings):
    """What the probe looks at of a video."""

    rate: PositiveFloat = 2.0
    resize: PositiveInt = 288
    crop: PositiveInt = 192

    _crop_fits = field_validator("crop")(within_resize)

    @property
    def sampling(self) -> FrameSampling:
        """Which frames."""
        return FrameSampling(rate=self.rate)

    @property
    def view(self) -> FrameView:
        """What is seen of them, with the normalisation of the probe's network."""
        half = (0.5, 0.5, 0.5)
        return FrameView(resize=self.resize, crop=self.crop, mean=half, std=half)
