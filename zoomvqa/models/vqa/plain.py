"""The Video Swin written as its papers describe it, step by step: slow, for tests and for measuring against.

It shares nothing with the fast form but the parameters: windows by rolling and reshaping, the region mask of −100,
the gate and the bias of every window made anew in every block, an explicit softmax. These are the steps of the
public FAST-VQA and Zoom-VQA code, whose speed it has.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoomvqa.models.vqa.swin import Block, VideoSwin
from zoomvqa.models.vqa.windows import Size, scaled_window


class PlainVideoSwin(nn.Module):
    """Runs the parameters of a `VideoSwin` in the plain form.

    Args:
        net: whose parameters; they are shared, not copied.
    """

    def __init__(self, net: VideoSwin) -> None:
        super().__init__()
        self.net = net

    def forward(self, clips: Tensor) -> Tensor:
        """Map (batch, 3, frames, h, w) normalised clips to (batch, channels, time, rows, columns) features."""
        net = self.net
        wanted = scaled_window(net.window, tuple(clips.shape[2:]), net.base)  # type: ignore[arg-type]
        x, shape, _ = net.patch_embed([clips])  # as one
        for stage in net.layers:
            for block in stage.blocks:  # type: ignore[union-attr]
                x = _block(block, x.unflatten(1, shape), wanted).flatten(1, 3)
            if stage.downsample is not None:
                x, shape = stage.downsample(x, shape)  # type: ignore[operator]
        return net.norm(x).transpose(1, 2).unflatten(2, shape)


def _block(block: Block, x: Tensor, wanted: Size) -> Tensor:
    shape = x.shape[1:4]
    window = tuple(min(w, s) for w, s in zip(wanted, shape, strict=True))
    shift = tuple(m if s > w else 0 for m, w, s in zip(block.shift, wanted, shape, strict=True))
    missing = [-s % w for s, w in zip(shape, window, strict=True)]
    padded = functional.pad(block.norm1(x), (0, 0, 0, missing[2], 0, missing[1], 0, missing[0]))
    full = padded.shape[1:4]
    rolled = torch.roll(padded, shifts=[-s for s in shift], dims=(1, 2, 3))
    gate = _apart(full, window, shift, x.device).abs().sum(dim=-1)
    mask = _mask(full, window, shift, x.device) if any(shift) else None
    mixed = _attention(block, _partition(rolled, window), gate, mask, window, len(x))
    mixed = _join(mixed, window, full, len(x))
    mixed = torch.roll(mixed, shifts=shift, dims=(1, 2, 3))[:, : shape[0], : shape[1], : shape[2]]
    x = x + block.drop_path(mixed)
    return x + block.drop_path(block.mlp(block.norm2(x)))


def _attention(
    block: Block, tokens: Tensor, gate: Tensor, mask: Tensor | None, window: tuple[int, ...], batch: int
) -> Tensor:
    """Map (batch · windows, N, channels) to the same shape."""
    layer = block.attn
    total, size, channels = tokens.shape
    qkv = layer.qkv(tokens).view(total, size, 3, layer.heads, -1).permute(2, 0, 3, 1, 4)
    scores = (qkv[0] * qkv.shape[-1] ** -0.5) @ qkv[1].transpose(-2, -1)
    bias = _look_up(layer.relative_position_bias_table, layer.window, window)[None]
    if layer.gated:
        fragment = _look_up(layer.fragment_position_bias_table, layer.window, window)[None]
        bias = gate[:, None] * bias + (1 - gate[:, None]) * fragment
    scores = scores.view(batch, -1, layer.heads, size, size) + bias
    if mask is not None:
        scores = scores + mask[:, None]
    weights = scores.view(total, layer.heads, size, size).softmax(dim=-1)
    return layer.proj((weights.to(qkv.dtype) @ qkv[2]).transpose(1, 2).reshape(total, size, channels))


def _look_up(table: Tensor, made_for: Size, window: tuple[int, ...]) -> Tensor:
    """Return (heads, N, N) of a table with a row for each relative place in a window of `made_for`."""
    place = torch.cartesian_prod(*(torch.arange(s, device=table.device) for s in window))
    delta = [place[:, None, i] - place[None, :, i] + made_for[i] - 1 for i in range(3)]
    index = (delta[0] * (2 * made_for[1] - 1) + delta[1]) * (2 * made_for[2] - 1) + delta[2]
    return table[index.flatten()].view(len(place), len(place), -1).permute(2, 0, 1).contiguous()


@lru_cache(maxsize=16)
@torch.inference_mode(mode=False)
def _apart(full: tuple[int, ...], window: tuple[int, ...], shift: tuple[int, ...], device: torch.device) -> Tensor:
    """Return (windows, N, N, 3) int64, how many fragments apart two tokens are along each axis."""
    axes = [torch.zeros(1), *(torch.arange(s).float() for s in window[1:])]
    number = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    spread = functional.interpolate(number[None], size=tuple(full), mode="nearest")[0].long().to(device)
    place = _partition(torch.roll(spread.movedim(0, -1)[None], [-s for s in shift], dims=(1, 2, 3)), window)
    return place[:, None] - place[:, :, None]


def _mask(full: tuple[int, ...], window: tuple[int, ...], shift: tuple[int, ...], device: torch.device) -> Tensor:
    """Return (windows, N, N), −100 between tokens that the shift brought together, and 0."""
    number = torch.zeros(1, *full, 1, device=device)
    count = 0
    for times in _stretches(window[0], shift[0]):
        for rows in _stretches(window[1], shift[1]):
            for columns in _stretches(window[2], shift[2]):
                number[:, times, rows, columns] = count
                count += 1
    region = _partition(number, window).squeeze(-1)
    return torch.where(region[:, :, None] == region[:, None], 0.0, -100.0)


def _stretches(window: int, shift: int) -> list[slice]:
    return [slice(0, -window), slice(-window, -shift or None), slice(-shift, None)] if shift else [slice(None)]


def _partition(x: Tensor, window: tuple[int, ...]) -> Tensor:
    """Cut (batch, time, rows, columns, channels) into (batch · windows, N, channels)."""
    batch, *shape, channels = x.shape
    cuts = [n for s, w in zip(shape, window, strict=True) for n in (s // w, w)]
    tokens = window[0] * window[1] * window[2]
    return x.reshape(batch, *cuts, channels).permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(-1, tokens, channels)


def _join(windows: Tensor, window: tuple[int, ...], full: tuple[int, ...], batch: int) -> Tensor:
    counts = [s // w for s, w in zip(full, window, strict=True)]
    return windows.view(batch, *counts, *window, -1).permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(batch, *full, -1)
