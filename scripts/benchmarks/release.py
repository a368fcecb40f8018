"""The release's way of a training step, to measure ours against.

IQA: a frame is a PNG of full size, read anew in every step, made float32, and all of it resized before the crop.
VQA: the frames of a clip are decoded one by one, the whole clip is made float32 and resized, and fragments are
copied out of it; the network is the plain form.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable
from itertools import islice, pairwise
from pathlib import Path

import decord
import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.losses import build_loss
from zoomvqa.models.iqa.net import IQANet, PatchScores
from zoomvqa.models.vqa.net import VQANet
from zoomvqa.models.vqa.plain import PlainVideoSwin
from zoomvqa.settings.iqa import FrameView
from zoomvqa.settings.loss import LossSettings
from zoomvqa.settings.vqa import ClipView

Sample = tuple[Tensor, float]


class PictureCrops(Dataset[Sample]):
    """Random crops of pictures of full size.

    Args:
        pictures: PNG files.
        view: resize, crop, flip and normalisation.
    """

    def __init__(self, pictures: list[Path], view: FrameView) -> None:
        self._pictures, self._view = pictures, view
        self._mean, self._std = (torch.tensor(v)[:, None, None] for v in (view.mean, view.std))

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> Sample:
        with Image.open(self._pictures[index]) as picture:
            frame = torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous().float() / 255
        short, crop = min(frame.shape[1:]), self._view.crop
        size = [self._view.resize * n // short for n in frame.shape[1:]]
        frame = functional.interpolate(frame[None], size, mode="bilinear")[0]
        top, left = (int(torch.randint(n - crop + 1, ())) for n in size)
        frame = frame[:, top : top + crop, left : left + crop]
        frame = frame.flip(-1) if torch.rand(()) < self._view.flip else frame
        return (frame - self._mean) / self._std, float(index % 7)


class ClipFragments(Dataset[Sample]):
    """Fragments of one random clip of 32 frames.

    Args:
        videos: training videos.
        view: resize, fragments and normalisation.
    """

    def __init__(self, videos: tuple[LabelledVideo, ...], view: ClipView) -> None:
        self._videos, self._view = videos, view
        self._mean, self._std = (torch.tensor(v)[:, None, None, None] for v in (view.mean, view.std))

    def __len__(self) -> int:
        return len(self._videos)

    def __getitem__(self, index: int) -> Sample:
        view, reader = self._view, decord.VideoReader(str(self._videos[index].path))
        start = int(torch.randint(len(reader) - 63, ()))
        frames = {at: torch.from_numpy(reader[at].asnumpy()) for at in range(start, start + 64, 2)}
        clip = torch.stack(list(frames.values())).permute(3, 0, 1, 2)
        ratio = view.resize / min(clip.shape[-2:])
        scaled = functional.interpolate(clip.transpose(0, 1) / 255.0, scale_factor=ratio, mode="bilinear")
        clip = (scaled * 255.0).to(torch.uint8).transpose(0, 1)
        cut = torch.zeros(3, 32, view.size, view.size)
        (rows, columns), side = (n // view.grid for n in clip.shape[-2:]), view.side
        for i in range(view.grid):
            for j in range(view.grid):
                top = rows * i + int(torch.randint(rows - side, ()))
                left = columns * j + int(torch.randint(columns - side, ()))
                piece = clip[:, :, top : top + side, left : left + side]
                cut[:, :, i * side : (i + 1) * side, j * side : (j + 1) * side] = piece
        return (cut - self._mean) / self._std, self._videos[index].mos


def loader(samples: Dataset[Sample], batch: int, workers: int) -> DataLoader[Sample]:
    """Return a loader of shuffled samples."""
    return DataLoader(
        samples, batch, shuffle=True, num_workers=workers, drop_last=True, persistent_workers=workers > 0
    )


def plain_vqa(net: VQANet) -> VQANet:
    """Return a copy of a VQA network whose backbone runs in the plain form."""
    plain = copy.deepcopy(net)
    plain.fragments_backbone = PlainVideoSwin(plain.fragments_backbone)  # type: ignore[arg-type]
    return plain


class PlainIQA(nn.Module):
    """The IQA network with its colours first in memory.

    Args:
        net: an `IQANet`; its parameters are copied.
    """

    def __init__(self, net: IQANet) -> None:
        super().__init__()
        self.net = copy.deepcopy(net).to(memory_format=torch.contiguous_format)

    def forward(self, views: Tensor) -> PatchScores:
        """Score a batch of views."""
        net = self.net
        maps = torch.cat([functional.adaptive_avg_pool2d(m, net.grid) for m in net.backbone(views)], dim=1)
        patches = maps.flatten(2).transpose(1, 2)
        score, weight = net.head_score(patches).squeeze(-1), net.head_weight(patches).squeeze(-1)
        return PatchScores((score * weight).sum(dim=1) / weight.sum(dim=1), score, weight)


def train_plainly(net: nn.Module, loss: LossSettings, batches: Iterable[list[Tensor]], steps: int) -> list[float]:
    """Train with a loop of its own; return the seconds of each step and of the wait for its batch.

    Args:
        net: whose output has a `score`.
        loss: the training loss.
        batches: views or clips, and MOS.
        steps: how many.

    Returns:
        The wait and the step in turn, two numbers a step.
    """
    optimiser, measured = torch.optim.AdamW(net.parameters(), lr=1e-4), build_loss(loss)
    times = [time.perf_counter()]
    for sample, mos in islice(batches, steps):
        times.append(time.perf_counter())
        optimiser.zero_grad()
        measured(net(sample).score, mos.float()).backward()
        optimiser.step()
        times.append(time.perf_counter())
    return [after - before for before, after in pairwise(times)]
