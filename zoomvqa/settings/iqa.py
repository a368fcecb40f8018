"""Settings of the IQA branch; the defaults are the numbers of the Zoom-VQA release (arXiv 2304.06440)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import PositiveFloat, PositiveInt, ValidationInfo, field_validator

from zoomvqa.errors import SettingsError
from zoomvqa.settings.branch import BranchSettings, NetworkSettings, PartLoading, SamplingSettings, ViewSettings
from zoomvqa.settings.shared import Below1, Fraction01, Optimiser, Rgb, Spread


class FrameSampling(SamplingSettings):
    """Frames at a rate."""

    kind: Literal["frame_rate"] = "frame_rate"
    rate: PositiveFloat = 2.0


def within_resize(crop: int, info: ValidationInfo) -> int:
    """Refuse a crop that is larger than the short side of what it is cut from."""
    if crop > info.data.get("resize", crop):
        raise ValueError(f"at most resize, which is {info.data['resize']}")
    return crop


class FrameView(ViewSettings):
    """Crops of a frame."""

    kind: Literal["frame_crops"] = "frame_crops"
    resize: PositiveInt = 512
    crop: PositiveInt = 320
    flip: Fraction01 = 0.5
    test_crops: PositiveInt = 1
    mean: Rgb = (0.485, 0.456, 0.406)
    std: Spread = (0.229, 0.224, 0.225)

    _crop_fits = field_validator("crop")(within_resize)


class IQANetwork(NetworkSettings):
    """Patch scores and patch weights on the maps of a frame backbone."""

    own_weights = frozenset({"imagenet", "package"})

    kind: Literal["patches"] = "patches"
    backbone: str = "convnext_tiny.fb_in1k"
    drop_path: Below1 = 0.1
    hidden: PositiveInt = 384
    dropout: Below1 = 0.1

    @property
    def label(self) -> str:
        """The backbone."""
        return self.backbone

    def check_look(self, sampling: SamplingSettings, view: ViewSettings) -> None:
        """Refuse what is no crops of single frames.

        Raises:
            SettingsError: it is something else.
        """
        for key, got, kind in (("sampling", sampling, FrameSampling), ("view", view, FrameView)):
            if not isinstance(got, kind):
                expected = kind.model_fields["kind"].default
                raise SettingsError(
                    f"branch.{key}.kind: got {got.kind!r}, expected {expected!r} with branch.network.kind=patches"
                )


def iqa_branch(**changed: Any) -> BranchSettings:
    """Return the settings of the IQA branch.

    Args:
        changed: what is not as in the release: any field of `BranchSettings`.
    """
    usual: dict[str, Any] = {
        "name": "iqa",
        "sampling": FrameSampling(),
        "view": FrameView(),
        "network": IQANetwork(),
        "optimiser": Optimiser(ema_ramp=True),
        "loading": PartLoading(),
    }
    return BranchSettings(**(usual | changed))
