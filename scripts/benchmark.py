"""Measure what this package claims about speed, each as a ratio in one run on the same work.

python scripts/benchmark.py [iqa|vqa|vqa-scoring|data|train|train-iqa|train-vqa|cache|score|all] [words]

iqa: a training step and a forward pass of the IQA branch, colours last in memory against colours first.
vqa: forward pass and training step of the VQA network against the plain form of the same mathematics.
    vqa-scoring is its second part: the network made ready for scoring, processes in turn.
data: reading the clips of a video against decoding the same frames, and the memory of both and of scoring.
train: training with data, by workers, precision, cache and compilation, against the release's way of a step.
    train-iqa and train-vqa are one branch of it; with words, only the ways that have them in their names.
cache: formats of kept training frames, by size and time.
score: scoring videos with both branches against the release's way, and what a video costs a core; with words
    (540p, 720p, cost), only those.
"""

from __future__ import annotations

import platform
import sys
from importlib import import_module
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

WORDS = sys.argv[2] if len(sys.argv) > 2 else ""
# Each with its module in `benchmarks`, its function there and what that is given. None is imported before its
# turn: the memory of scoring would be that of training, too.
PARTS: dict[str, tuple[str, str, tuple[Any, ...]]] = {
    "iqa": ("networks", "iqa_rows", ()),
    "vqa": ("networks", "vqa_rows", ()),
    "vqa-scoring": ("inference", "scoring_rows", ()),
    "data": ("reading", "data_rows", ()),
    "train-iqa": ("training", "train_rows", (["iqa"], WORDS)),
    "train-vqa": ("training", "train_rows", (["vqa"], WORDS)),
    "cache": ("caches", "cache_rows", ()),
    "score": ("scoring", "score_rows", (WORDS,)),
}


def main() -> None:
    """Print the table of the part that is asked for."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else "all"
    if wanted not in {*PARTS, "train", "all"}:
        sys.exit(f"error: got '{wanted}', expected {', '.join(PARTS)}, train or all")
    machine = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    table = Table("work", "plain", "ours", "ratio", title=f"medians of paired runs; {machine}")
    for name, (module, function, given) in PARTS.items():
        if wanted in {name, name.split("-")[0], "all"}:
            for row in getattr(import_module(f"benchmarks.{module}"), function)(*given):
                table.add_row(*row)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
