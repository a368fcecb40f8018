"""The branches of a checkpoint looking at one video together: it is decoded once for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, Literal, get_args

import torch

from zoomvqa.checkpoints import Description, FusionDescription, VQADescription
from zoomvqa.data.one_pass import FrameStore, one_pass
from zoomvqa.errors import SettingsError
from zoomvqa.scoring.parts import ClipScorer, FrameScorer, PartScore, PartScorer

BranchName = Literal["iqa", "vqa"]
Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
PRECISIONS = get_args(Precision)
_HALF = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


def branch_scorers(about: Description, net: Any, device: torch.device) -> dict[BranchName, PartScorer]:
    """Return what scores the parts of a video, by branch.

    Args:
        about: the checkpoint's description.
        net: its network, in evaluation mode, on the device.
        device: the device.
    """
    if isinstance(about, FusionDescription):
        return branch_scorers(about.iqa, net.iqa, device) | branch_scorers(about.vqa, net.vqa, device)
    if isinstance(about, VQADescription):
        return {"vqa": ClipScorer(net, device, about.sampling, about.view)}
    return {"iqa": FrameScorer(net, device, about.sampling, about.view)}


@torch.inference_mode()
def score_parts(
    scorers: Mapping[BranchName, PartScorer],
    store: FrameStore,
    device: torch.device,
    precision: Precision = "32-true",
    *,
    patches: bool = False,
) -> dict[BranchName, list[PartScore]]:
    """Return the parts' scores by each branch, as the networks put them out.

    Raises:
        VideoError: the video cannot be read.
    """
    half = _HALF.get(precision)
    with torch.autocast(device.type, half) if half else nullcontext():
        looks = {name: scorer.begin(store, patches=patches) for name, scorer in scorers.items()}
        one_pass(store, list(looks.values()))
        return {name: look.parts() for name, look in looks.items()}


def mean_score(parts: list[PartScore]) -> float:
    """Return the mean over a video's parts, in float32 as in validation, to the last bit."""
    return float(torch.tensor([part.score for part in parts]).mean())


def find_device(name: str, key: str = "device") -> torch.device:
    """Return the device of a name: auto, cpu, cuda, cuda:1 or mps.

    Args:
        name: of the device.
        key: of the setting it came from, for messages.

    Raises:
        SettingsError: there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise SettingsError(f"{key}: '{name}' cannot be used here ({reason})") from None
    return device
