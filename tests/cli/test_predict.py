"""`predict.py` on many videos: formats, going on, being killed."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
from pyarrow import parquet

from cli.conftest import Run
from cli.test_mistakes import one_line
from cli.test_train_vqa import read
from zoomvqa.cli import predict
from zoomvqa.scoring.scorer import Scorer


@pytest.fixture
def best(trained) -> str:
    return f"ckpt={trained / 'checkpoints' / 'best.ckpt'}"


def test_every_format_has_the_same_rows_in_the_order_of_the_inputs(command: Run, best, labelled, tmp_path):
    names = [path.name for path in sorted(labelled.glob("*.mp4"), reverse=True)[:4]]
    lines = [str(labelled / name) for name in (*names[:2], "none.mp4", *names[2:], names[0])]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    for ending in ("csv", "jsonl", "parquet"):
        arguments = (best, "input=list.txt", f"output=s.{ending}", "details=true", "workers=1")
        assert command("predict", *arguments).code == 1
    rows = read(tmp_path / "s.csv")
    assert [row["video"] for row in rows] == lines
    assert [row["status"] for row in rows] == ["ok", "ok", "error", "ok", "ok", "ok"]
    objects = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()]
    table = parquet.read_table(tmp_path / "s.parquet").to_pylist()
    for found in (objects, table):
        assert [(o["video"], o["status"], o["frames"]) for o in found] == [
            (r["video"], r["status"], int(r["frames"])) for r in rows
        ]
        assert [o["score"] for o in found] == [float(r["score"]) if r["score"] else None for r in rows]
    assert len(read(tmp_path / "s.details.csv")) == sum(int(row["frames"]) for row in rows)
    assert {p.name for p in tmp_path.glob("s.*")} == {
        f"s.{d}{e}" for d in ("", "details.") for e in ("csv", "jsonl", "parquet")
    }


def test_the_same_command_goes_on(command: Run, best, labelled, tmp_path, monkeypatch):
    true, scored = Scorer.try_score, []

    def stopped(self, path):
        if len(scored) == 5:
            raise KeyboardInterrupt
        scored.append(path)
        return true(self, path)

    monkeypatch.setattr(Scorer, "try_score", stopped)
    arguments = (best, f"input={labelled}", "output=s.csv", "workers=0")
    outcome = command("predict", *arguments)
    assert outcome.code == 130
    assert "What was scored until now is in s.csv.part; the same command goes on" in outcome.err
    assert not (tmp_path / "s.csv").exists()
    monkeypatch.setattr(Scorer, "try_score", lambda self, path: (scored.append(path), true(self, path))[1])
    outcome = command("predict", *arguments)
    assert outcome.code == 0, outcome.err
    assert "5 of 12 videos were scored before; going on" in outcome.err
    assert len(scored) == len(set(scored)) == 12
    rows = read(tmp_path / "s.csv")
    assert [row["video"] for row in rows] == sorted(str(path) for path in labelled.glob("*.mp4"))
    assert not (tmp_path / "s.csv.part").exists()


def test_other_options_and_changed_files_are_scored_anew(command: Run, best, labelled, tmp_path, monkeypatch):
    folder = tmp_path / "videos"
    folder.mkdir()
    for path in sorted(labelled.glob("*.mp4"))[:4]:
        shutil.copy(path, folder / path.name)
    true, scored = Scorer.try_score, []

    def stopped(self, path):
        if len(scored) == 3:
            raise KeyboardInterrupt
        scored.append(path.name)
        return true(self, path)

    monkeypatch.setattr(Scorer, "try_score", stopped)
    arguments = (best, "input=videos", "workers=0", "output=s.csv")
    assert command("predict", *arguments).code == 130
    first = sorted(folder.iterdir())[0]
    os.utime(first, (1, 1))
    monkeypatch.setattr(Scorer, "try_score", lambda self, path: (scored.append(path.name), true(self, path))[1])
    assert "2 of 4 videos were scored before" in command("predict", *arguments).err
    assert scored.count(first.name) == 2
    monkeypatch.setattr(Scorer, "try_score", stopped)
    scored.clear()
    assert command("predict", *arguments, "test_crops=1").code == 130
    monkeypatch.setattr(Scorer, "try_score", true)
    assert "scored before" not in command("predict", *arguments, "test_crops=2").err


def killed_command(arguments: list[str], folder: str) -> None:
    os.chdir(folder)
    sys.argv = ["predict.py", *arguments]
    predict.main()


@pytest.mark.slow
# ZOOMVQA_KILLS=20 tries longer.
@pytest.mark.parametrize(("workers", "times"), [(0, int(os.environ.get("ZOOMVQA_KILLS", "3"))), (1, 1)])
def test_killed_at_random_moments(command: Run, best, labelled, tmp_path, workers, times):
    videos = sorted(labelled.glob("*.mp4"))
    # Copies under names of their own, so that there is enough to score.
    folder = tmp_path / "copies"
    folder.mkdir()
    for i in range(5):
        for video in videos:
            (folder / f"{i}_{video.name}").symlink_to(video)
    arguments = [best, "input=copies", "output=s.csv", f"workers={workers}", "details=true"]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["zoomvqa.cli.predict"])
    draw, kept, kills = random.Random(workers), tmp_path / "s.csv.part", 0
    while kills < times:
        before = kept.stat().st_size if kept.exists() else 0
        process = context.Process(target=killed_command, args=(arguments, str(tmp_path)))
        process.start()
        deadline = time.monotonic() + 60
        while process.is_alive() and time.monotonic() < deadline:
            if kept.exists() and kept.stat().st_size > before:
                break
            time.sleep(0.005)
        time.sleep(draw.uniform(0, 0.1))
        if not process.is_alive():
            break
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        kills += 1
    assert kills
    assert not (tmp_path / "s.csv").exists()
    assert command("predict", *arguments).code == 0
    rows = read(tmp_path / "s.csv")
    assert [row["video"] for row in rows] == sorted(f"copies/{path.name}" for path in folder.iterdir())
    assert command("predict", best, "input=copies", "output=whole.csv", "workers=0").code == 0
    scores = [[row["score"] for row in read(tmp_path / name)] for name in ("s.csv", "whole.csv")]
    assert scores[0] == scores[1]
    details = [(row["video"], row["part"]) for row in read(tmp_path / "s.details.csv")]
    assert len(details) == len(set(details)) == sum(int(row["frames"]) for row in rows)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["output=s.xlsx"], "output: got s.xlsx, expected a name ending with .csv, .jsonl, .parquet"),
        (["output=s"], "output: got s, expected a name ending with"),
        (["workers=-1"], "workers: got -1, expected greater than or equal to 0"),
        (["patience=0"], "patience: got 0, expected greater than 0"),
    ],
)
def test_mistakes(command: Run, best, labelled: Path, words, message):
    one_line(command("predict", best, f"input={labelled}", *words), message)
