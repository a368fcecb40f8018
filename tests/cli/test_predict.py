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

from cli.conftest import Run, stop_after
from cli.test_mistakes import one_line
from cli.test_train_vqa import read
from zoomvqa.cli import predict


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
    first = stop_after(monkeypatch, 5)
    arguments = (best, f"input={labelled}", "output=s.csv", "workers=0")
    outcome = command("predict", *arguments)
    assert outcome.code == 130
    assert "What was scored until now is in s.csv.part; the same command goes on" in outcome.err
    assert not (tmp_path / "s.csv").exists()
    then = stop_after(monkeypatch, 99)
    outcome = command("predict", *arguments)
    assert outcome.code == 0, outcome.err
    assert "5 of 12 videos were scored before; going on" in outcome.err
    assert len({*first, *then}) == len(first) + len(then) == 12
    rows = read(tmp_path / "s.csv")
    assert [row["video"] for row in rows] == sorted(str(path) for path in labelled.glob("*.mp4"))
    assert list(tmp_path.glob("s.csv.*")) == []


def test_other_options_and_changed_files_are_scored_anew(command: Run, best, labelled, tmp_path, monkeypatch):
    folder = tmp_path / "videos"
    folder.mkdir()
    for path in sorted(labelled.glob("*.mp4"))[:4]:
        shutil.copy(path, folder / path.name)
    stop_after(monkeypatch, 3)
    arguments = (best, "input=videos", "workers=0", "output=s.csv")
    assert command("predict", *arguments).code == 130
    first = sorted(folder.iterdir())[0]
    os.utime(first, (1, 1))
    looked = stop_after(monkeypatch, 99)
    assert "2 of 4 videos were scored before" in command("predict", *arguments).err
    assert first.name in looked
    stop_after(monkeypatch, 3)
    assert command("predict", *arguments, "test_crops=1").code == 130
    stop_after(monkeypatch, 99)
    assert "scored before" not in command("predict", *arguments, "test_crops=2").err


def test_batches_and_a_list_that_changes(command: Run, best, labelled, tmp_path, monkeypatch):
    paths = [str(path) for path in sorted(labelled.glob("*.mp4"))]
    (tmp_path / "list.txt").write_text("\n".join(paths))
    assert command("predict", best, "input=list.txt", "output=one.csv", "workers=0").code == 0
    assert command("predict", best, "input=list.txt", "output=three.csv", "workers=1", "batch=3").code == 0
    scores = [[float(row["score"]) for row in read(tmp_path / name)] for name in ("one.csv", "three.csv")]
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)
    true = predict.write_results

    def late(*arguments, **options):
        with (tmp_path / "list.txt").open("a") as handle:
            handle.write("\nlate.mp4\n")
        return true(*arguments, **options)

    monkeypatch.setattr(predict, "write_results", late)
    arguments = (best, "input=list.txt", "output=late.csv", "workers=0")
    outcome = command("predict", *arguments)
    assert outcome.code == 2, outcome.err
    assert "input: it changed meanwhile: late.mp4 is new; the same command goes on" in outcome.err
    monkeypatch.setattr(predict, "write_results", true)
    assert command("predict", *arguments).code == 1
    rows = read(tmp_path / "late.csv")
    assert [row["video"] for row in rows[:12]] == paths
    assert rows[12]["error"].startswith("no such file")


def test_more_workers_are_advised_where_they_would_help(command: Run, best, labelled, tmp_path, monkeypatch):
    monkeypatch.setattr(predict, "_MUCH", 0.0)
    (tmp_path / "there.txt").write_text("\n".join(str(path) for path in sorted(labelled.glob("*.mp4"))[:3]))
    (tmp_path / "missing.txt").write_text("\n".join(f"none_{i}.mp4" for i in range(3)))
    told = {name: command("predict", best, f"input={name}.txt", "workers=1").err for name in ("there", "missing")}
    assert "The network waited for videos" in told["there"]
    assert "workers=… decodes more at once" in told["there"]
    assert "waited" not in told["missing"]


def size(kept: Path) -> int:
    """Return how much a run has kept, in the file and what SQLite keeps beside it."""
    files = (kept, kept.with_name(f"{kept.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def killed_command(arguments: list[str], folder: str) -> None:
    os.chdir(folder)
    sys.argv = ["predict.py", *arguments]
    predict.main()


@pytest.mark.slow
# ZOOMVQA_KILLS=20 tries longer.
@pytest.mark.parametrize(("workers", "times"), [(0, int(os.environ.get("ZOOMVQA_KILLS", "3"))), (1, 1)])
def test_killed_at_random_moments(command: Run, best, labelled, tmp_path, workers, times):
    videos = sorted(labelled.glob("*.mp4"))
    # Copies under names of their own, so that the last kill comes before the end.
    folder = tmp_path / "copies"
    folder.mkdir()
    for i in range(4 + 3 * times):
        for video in videos:
            (folder / f"{i:02d}_{video.name}").symlink_to(video)
    arguments = [best, "input=copies", "output=s.csv", f"workers={workers}", "details=true"]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["zoomvqa.cli.predict"])
    draw, kept, kills = random.Random(workers), tmp_path / "s.csv.part", 0
    while kills < times:
        before = size(kept)
        process = context.Process(target=killed_command, args=(arguments, str(tmp_path)))
        process.start()
        deadline = time.monotonic() + 60
        while process.is_alive() and time.monotonic() < deadline:
            if size(kept) > before:
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
        (["min_share=0"], "min_share: got 0, expected greater than 0"),
        (["batch=0"], "batch: got 0, expected greater than 0"),
        (["devices=0"], "devices: got 0, expected greater than 0"),
        (["devices=2", "engine=ray"], "devices: got 2, expected 1 with engine=ray; ray.networks says how many"),
        (["devices=2", "device=mps"], "device: got mps, expected auto, cpu or cuda where devices=2"),
        (
            ["compile=true", "precision=16-mixed"],
            "compile: got true with precision=16-mixed on cpu, expected 32-true or bf16-mixed on cpu",
        ),
        (["engine=spark"], "engine: got 'spark', expected 'local' or 'ray'"),
    ],
)
def test_mistakes(command: Run, best, labelled: Path, words, message):
    one_line(command("predict", best, f"input={labelled}", *words), message)
