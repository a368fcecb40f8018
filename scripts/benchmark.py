"""Measure what this package claims about speed, each as a ratio in one run on the same work.

python scripts/benchmark.py [iqa|vqa|vqa-scoring|data|train|train-iqa|train-vqa|cache|score|all] [words]

iqa: a training step and a forward pass of the IQA branch, colours last in memory against colours first.
vqa: forward pass and training step of the VQA network against the plain form of the same mathematics.
    vqa-scoring is its second part: the network made ready for scoring, processes in turn.
data: reading the clips of a video against decoding the same frames, and the memory of both and of scoring.
train: training with data, by workers, precision, cache and compilation, against the release's way of a step.
    train-iqa and train-vqa are one branch of it; with words, only the ways that have them in their names.
cache: formats of kept training frames, by size and time.
score: scoring videos with both branches against the release's way, and what a video costs a core.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from functools import partial

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.caches import cache_rows
from benchmarks.inference import scoring_rows
from benchmarks.networks import iqa_rows, vqa_rows
from benchmarks.reading import data_rows
from benchmarks.scoring import score_rows
from benchmarks.timing import Rows
from benchmarks.training import train_rows

WORDS = sys.argv[2] if len(sys.argv) > 2 else ""
PARTS: dict[str, Callable[[], Rows]] = {
    "iqa": iqa_rows,
    "vqa": vqa_rows,
    "vqa-scoring": scoring_rows,
    "data": data_rows,
    "train-iqa": partial(train_rows, ["iqa"], WORDS),
    "train-vqa": partial(train_rows, ["vqa"], WORDS),
    "cache": cache_rows,
    "score": score_rows,
}


def main() -> None:
    """Print the table of the part that is asked for."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else "all"
    if wanted not in {*PARTS, "train", "all"}:
        sys.exit(f"error: got '{wanted}', expected {', '.join(PARTS)}, train or all")
    machine = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    table = Table("work", "plain", "ours", "ratio", title=f"medians of paired runs; {machine}")
    for name, rows in PARTS.items():
        if wanted in {name, name.split("-")[0], "all"}:
            for row in rows():
                table.add_row(*row)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
