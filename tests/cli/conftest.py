"""Runs the commands inside the test process, as a user would type them."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import Make

from zoomvqa.cli import check_data, convert_checkpoint, evaluate, extract_frames, fuse, make_ladder, predict, train
from zoomvqa.scoring import bulk, feeders

MAINS = {
    "train": train,
    "predict": predict,
    "check_data": check_data,
    "evaluate": evaluate,
    "fuse": fuse,
    "convert_checkpoint": convert_checkpoint,
    "extract_frames": extract_frames,
    "make_ladder": make_ladder,
}
PICTURES = ("testsrc2", "mandelbrot", "testsrc", "rgbtestsrc", "smptebars", "yuvtestsrc")
# A branch that trains in a second.
SMALL = (
    "data=folder",
    "branch.network.backbone=test_efficientnet",
    "weights=none",
    "branch.network.hidden=16",
    "branch.view.resize=64",
    "branch.view.crop=64",
    "branch.loading.batch_size=8",
    "branch.loading.workers=0",
    "trainer=cpu",
    "trainer.max_epochs=2",
    "trainer.log_every_n_steps=1",
)


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def command(monkeypatch, capsys, tmp_path) -> Run:
    """`command("train", "key=value")` gives the exit code and what was printed."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, *arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            MAINS[name].main()
        printed = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def labelled(make_video: Make, tmp_path_factory) -> Path:
    """A folder of twelve videos of six contents, and a table of their scores."""
    folder = tmp_path_factory.mktemp("labelled")
    rows = []
    for content, picture in enumerate(PICTURES):
        for level in (1, 8):
            video = make_video(f"{picture}_{level}.mp4", "-vf", f"gblur=sigma={level}", frames=26, picture=picture)
            (folder / video.name).write_bytes(video.read_bytes())
            rows.append([video.name, 5 - level / 2 + content / 10, picture])
    with (folder / "scores.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([["video", "mos", "content"], *rows])
    return folder


def on(folder: Path) -> tuple[str, ...]:
    """The overrides that name a labelled folder."""
    return (f"data.root={folder}", f"data.annotations={folder / 'scores.csv'}", "data.val_share=0.4")


@pytest.fixture(scope="session")
def trained(labelled: Path, tmp_path_factory) -> Path:
    """The folder of a finished run."""
    output = tmp_path_factory.mktemp("trained") / "run"
    patch = pytest.MonkeyPatch()
    patch.setenv("ZOOMVQA_CACHE", str(output.parent / "cache"))
    patch.setattr(sys, "argv", ["train.py", *SMALL, *on(labelled), f"output={output}", "logger=[csv,tensorboard]"])
    with pytest.raises(SystemExit) as ended:
        train.main()
    patch.undo()
    assert not ended.value.code
    return output


def stop_after(monkeypatch, videos: int) -> list[str]:
    """Interrupt scoring before a video is looked at; return what was looked at until then."""
    looked: list[str] = []
    true = feeders.look_at

    def stopped(place, task):
        if len(looked) == videos:
            raise KeyboardInterrupt
        looked.append(Path(place).name)
        yield from true(place, task)

    monkeypatch.setattr(bulk, "look_at", stopped)
    return looked
