"""Settings of the probe, the line to beat."""

from __future__ import annotations

from pydantic import PositiveFloat, PositiveInt, ValidationInfo, field_validator

from zoomvqa.settings.base import Settings
from zoomvqa.settings.iqa import FrameSampling, FrameView


class Probe(Settings):
    """What the probe looks at of a video."""

    rate: PositiveFloat = 2.0
    resize: PositiveInt = 288
    crop: PositiveInt = 192

    @field_validator("crop")
    @classmethod
    def _crop_fits(cls, value: int, info: ValidationInfo) -> int:
        if value > info.data.get("resize", value):
            raise ValueError(f"at most resize, which is {info.data['resize']}")
        return value

    @property
    def sampling(self) -> FrameSampling:
        """Which frames."""
        return FrameSampling(rate=self.rate)

    @property
    def view(self) -> FrameView:
        """What is seen of them, with the normalisation of the probe's network."""
        half = (0.5, 0.5, 0.5)
        return FrameView(resize=self.resize, crop=self.crop, mean=half, std=half)
