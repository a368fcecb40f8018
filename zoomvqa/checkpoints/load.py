"""Reading checkpoints: ours, and the public Zoom-VQA IQA file."""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import zoomvqa
from zoomvqa.checkpoints.description import FORMAT, Description
from zoomvqa.errors import CheckpointError, SettingsError
from zoomvqa.models.iqa.net import IQANet, build_iqa_net
from zoomvqa.settings.base import check
from zoomvqa.settings.branch import FrameSampling, FrameView, IQANetwork


@dataclass(frozen=True)
class Checkpoint:
    """Weights and what they are.

    Attributes:
        description: enough to score a video.
        weights: named as the network's parameters.
        source: `zoomvqa`, or `release` for the public IQA file.
    """

    description: Description
    weights: dict[str, Tensor]
    source: str

    def build_net(self) -> IQANet:
        """Return the network with the weights, in evaluation mode.

        Raises:
            CheckpointError: tensors are missing, unexpected or of another shape; the first of each are named.
        """
        net = build_iqa_net(self.description.network, self.description.view.crop, pretrained=False)
        _compare(self.weights, net.state_dict())
        net.load_state_dict(self.weights)
        return net.eval()


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint file; nothing in it is executed.

    Raises:
        CheckpointError: there is no such file, it is damaged, holds arbitrary objects, or is of another kind.
    """
    raw = _read(path)
    if "zoomvqa" in raw:
        return _ours(path, raw)
    weights = _strip(_tensors(raw.get("state_dict", raw)), "module.")
    if "head_score.0.weight" in weights and "backbone.stem_0.weight" in weights:
        return _release_iqa(weights)
    kinds = "a checkpoint of this package, or the Zoom-VQA release's IQA file"
    if any("relative_position_bias_table" in key for key in weights):
        raise CheckpointError(f"{path}: these are weights of a Video Swin (VQA branch); expected {kinds}")
    some = ", ".join(list(weights)[:3]) or "no tensors"
    raise CheckpointError(f"{path}: not a known kind of checkpoint (it holds {some}); expected {kinds}")


def _read(path: Path) -> dict[str, Any]:
    if path.is_dir():
        raise CheckpointError(f"ckpt: {path} is a folder; expected a file such as {path}/checkpoints/best.ckpt")
    if not path.is_file():
        raise CheckpointError(f"ckpt: no such file: {path}")
    try:
        raw = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "Unsupported" in str(error) or "Weights only" in str(error):
            raise CheckpointError(
                f"{path}: refused, it is no file of plain tensors: it holds other objects or is damaged, and "
                "loading it could run code"
            ) from None
        raise CheckpointError(f"{path}: not a checkpoint ({error})") from None
    except Exception as error:  # noqa: BLE001  the reader meets bytes of any kind; nothing of them is executed
        reason = (str(error).splitlines() or [""])[0]
        raise CheckpointError(f"{path}: damaged or not a checkpoint ({type(error).__name__}: {reason})") from None
    if not isinstance(raw, dict):
        raise CheckpointError(f"{path}: expected a dictionary in it, found {type(raw).__name__}")
    return raw


def _ours(path: Path, raw: dict[str, Any]) -> Checkpoint:
    entry = raw["zoomvqa"]
    if not isinstance(entry, Mapping) or not isinstance(raw.get("state_dict"), Mapping):
        raise CheckpointError(f"{path}: its description or its weights are missing")
    if entry.get("format") != FORMAT:
        raise CheckpointError(
            f"{path}: format {entry.get('format')!r}, written by zoomvqa {entry.get('version')}; "
            f"this is zoomvqa {zoomvqa.__version__}, which reads format {FORMAT}"
        )
    try:
        description = check(Description, {k: _nan_to_none(v) for k, v in entry.items()}, prefix="zoomvqa")
    except SettingsError as error:
        raise CheckpointError(f"{path}: its description is wrong: {error}") from None
    tensors = _tensors(raw["state_dict"])
    weights = {k.removeprefix("net."): v for k, v in tensors.items() if k.startswith("net.")}
    return Checkpoint(description, weights, "zoomvqa")


def _release_iqa(weights: dict[str, Tensor]) -> Checkpoint:
    description = Description(
        version="release",
        unit="mos",  # smooth L1 on the MOS of VDPVE, says its log
        branch="iqa",
        network=IQANetwork(backbone="convnext_tiny", weights="none"),
        sampling=FrameSampling(),
        view=FrameView(),
    )
    return Checkpoint(description, weights, "release")


def _tensors(values: Any) -> dict[str, Tensor]:
    if not isinstance(values, Mapping):
        return {}
    return {str(k): v for k, v in values.items() if isinstance(v, Tensor)}


def _strip(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in weights.items()}


def _nan_to_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _nan_to_none(v) for k, v in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def _compare(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    missing = [k for k in wanted if k not in weights]
    unexpected = [k for k in weights if k not in wanted]
    shapes = [
        f"{k} {tuple(v.shape)} instead of {tuple(wanted[k].shape)}"
        for k, v in weights.items()
        if k in wanted and v.shape != wanted[k].shape
    ]
    problems = [
        f"{len(names)} {what} ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"
        for what, names in (("missing", missing), ("unexpected", unexpected), ("of another shape", shapes))
        if names
    ]
    if problems:
        raise CheckpointError(f"the checkpoint's tensors do not fit the network: {'; '.join(problems)}")
