"""Damage done to videos."""

from __future__ import annotations

import random
from pathlib import Path

import av


def garbled(path: Path, folder: Path, numbers: set[int]) -> Path:
    """Overwrite some packets with noise but for their first bytes, as subsample encryption does."""
    data, draw = bytearray(path.read_bytes()), random.Random(1)
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    for number, (at, size) in enumerate(packets):
        if number in numbers and size > 64:
            data[at + 64 : at + size] = draw.randbytes(size - 64)
    changed = folder / f"garbled_{path.name}"
    changed.write_bytes(data)
    return changed
