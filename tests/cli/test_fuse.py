"""`scripts/fuse.py` with any number of files, and with weights."""

import csv
from pathlib import Path

import numpy as np
import pytest

from cli.conftest import Run
from cli.test_mistakes import one_line
from zoomvqa.scoring.fuse_files import rescaled
from zoomvqa.scoring.prediction_files import read_predictions

MOS = np.random.default_rng(1).uniform(1, 5, 20)
FILES = "files={technical: a.csv, aesthetic: b.csv, frames: c.txt}"
PARTS = [MOS + np.random.default_rng(i).normal(0, s, 20) for i, s in ((2, 0.4), (3, 0.8), (4, 1.5))]


@pytest.fixture
def folder(tmp_path) -> Path:
    names = [f"{i:02}.mp4" for i in range(20)]
    for file, part, header in (("a.csv", PARTS[0], "video,score\n"), ("b.csv", PARTS[1], "name,pred\n")):
        rows = "".join(f"{n},{v!r}\n" for n, v in zip(names, part.tolist(), strict=True))
        (tmp_path / file).write_text(header + rows)
    rows = [f"{n},{v!r}\n" for n, v in zip(names, PARTS[2].tolist(), strict=True)]
    (tmp_path / "c.txt").write_text("".join(reversed(rows)))
    with (tmp_path / "mos.csv").open("w", newline="") as handle:
        table = csv.writer(handle)
        table.writerow(["video", "mos", "split"])
        # Named without an ending, as many tables do; one has no prediction.
        parts = ["val" if i < 12 else "test" for i in range(20)]
        table.writerows(zip((n.removesuffix(".mp4") for n in names), MOS, parts, strict=True))
        table.writerow(["none", 3, "val"])
    return tmp_path


def fused(folder: Path) -> np.ndarray:
    return np.array(list(read_predictions(folder / "o.txt", "o").scores.values()))


def test_equal_weights(command: Run, folder):
    outcome = command("fuse", FILES, "output=o.txt")
    assert outcome.code == 0, outcome.err
    assert "rescaled already: none; weights: technical 0.3333, aesthetic 0.3333, frames 0.3333" in outcome.err
    np.testing.assert_allclose(fused(folder), np.mean([rescaled(p) for p in PARTS], axis=0), atol=1e-12)
    assert command("fuse", FILES, "output=p.txt", "weights=equal").code == 0
    assert (folder / "p.txt").read_bytes() == (folder / "o.txt").read_bytes()


def test_two_files_of_any_name_are_the_pair(command: Run, folder):
    assert command("fuse", "iqa=a.csv", "vqa=b.csv", "output=o.txt", "share=0.25").code == 0
    weights = ("weights={x: 1, y: 3}", "output=p.txt")
    assert command("fuse", "files={x: a.csv, y: b.csv}", *weights).code == 0
    assert (folder / "p.txt").read_bytes() == (folder / "o.txt").read_bytes()
    assert command("fuse", "iqa=a.csv", "vqa=b.csv", "weights={vqa: 3, iqa: 1}", "output=q.txt").code == 0
    assert (folder / "q.txt").read_bytes() == (folder / "o.txt").read_bytes()


def test_given_weights_are_divided_by_their_sum(command: Run, folder):
    outcome = command("fuse", FILES, "weights={technical: 5, aesthetic: 3, frames: 2}", "output=o.txt")
    assert "weights: technical 0.5, aesthetic 0.3, frames 0.2" in outcome.err
    expected = sum(w * rescaled(p) for w, p in zip((0.5, 0.3, 0.2), PARTS, strict=True))
    np.testing.assert_allclose(fused(folder), expected, atol=1e-12)


def test_numbers_are_names_too(command: Run, folder):
    outcome = command("fuse", "files={1: a.csv, 2: b.csv}", "weights={1: 0, 2: 1}", "output=o.txt")
    assert outcome.code == 0, outcome.err
    np.testing.assert_array_equal(fused(folder), rescaled(PARTS[1]))


def test_fitted_weights(command: Run, folder):
    outcome = command("fuse", FILES, "weights=fit", "labels=mos.csv", "output=o.txt")
    assert outcome.code == 0, outcome.err
    told = " ".join(outcome.err.split())
    assert "Weights of technical, aesthetic, frames fitted on 12 of the 13 val videos of mos.csv: PLCC 0.9" in told
    assert "; 1 have no prediction" in told
    best = np.corrcoef(fused(folder)[:12], MOS[:12])[0, 1]
    for part in PARTS:
        assert best >= np.corrcoef(rescaled(part)[:12], MOS[:12])[0, 1]
    more = ("weights=fit", "labels=mos.csv", "split=all", "output=p.txt")
    assert "fitted on 20 of the 21 videos of mos.csv" in " ".join(command("fuse", FILES, *more).err.split())
    assert command("fuse", "iqa=a.csv", "vqa=c.txt", *more[:2], "output=q.txt", "rescaled=[]").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "files: a value is missing; give files='{NAME: FILE, NAME: FILE}', or iqa=FILE and vqa=FILE"),
        (("vqa=a.csv",), "iqa: a value is missing; give iqa=…"),
        (("files={a: a.csv}",), "files: got 1, expected two at least: files="),
        (("files=a.csv",), "files: got 'a.csv', expected {key: value}"),
        ((FILES, "iqa=a.csv"), "iqa: got a.csv beside files, expected one of the ways: files="),
        ((FILES, "share=0.5"), "share: got 0.5, expected null beside files or weights; give weights='{…}'"),
        (
            ("files={a: a.csv, b: b.csv}", "share=0.3"),
            "share: got 0.3, expected null beside files or weights; give weights='{a: 0.3, b: 0.7}'",
        ),
        ((FILES, "weights=fitt"), "weights: got 'fitt', expected 'equal' or 'fit' (did you mean 'fit'?)"),
        (
            (FILES, "weights={technicl: 1, aesthetic: 1, frames: 1}"),
            "weights.technicl: no file has this name (did you mean 'technical'?); expected technical,",
        ),
        (
            (FILES, "weights={technical: 1}"),
            "weights.aesthetic: a value is missing; expected one for each of technical, aesthetic, frames",
        ),
        (
            (FILES, "weights={technical: -1, aesthetic: 1, frames: 1}"),
            "weights.technical: got -1, expected greater than or equal to 0",
        ),
        (
            (FILES, "weights={technical: 0, aesthetic: 0, frames: 0}"),
            "weights: all are 0, expected one above 0 at least",
        ),
        ((FILES, "weights=fit"), "labels: a value is missing; weights=fit takes labels=TABLE"),
        ((FILES, "labels=mos.csv"), "labels: got mos.csv, which weights=fit alone reads"),
        ((FILES, "weights=fit", "labels=no.csv"), "no.csv"),
        (
            (FILES, "weights=fit", "labels=mos.csv", "split=train"),
            "split: got train, but mos.csv has no such videos, only: test, val; expected one of these, or all",
        ),
        (
            (FILES, "weights=fit", "labels=mos.csv", "split=tset"),
            "split: got 'tset', expected 'all', 'train', 'val' or 'test' (did you mean 'test'?)",
        ),
        ((FILES, "rescaled=[frame]"), "rescaled.0: got 'frame', expected 'technical' or 'aesthetic' or 'frames'"),
        (("files={a: a.csv, b: none.csv}",), "files.b: "),
    ],
)
def test_mistakes(command: Run, folder, arguments, message):
    one_line(command("fuse", *arguments, "output=o.txt"), message)
    assert not (folder / "o.txt").exists()


def test_labels_that_nothing_can_be_fitted_to(command: Run, folder):
    fit = (FILES, "weights=fit", "split=all", "output=o.txt")
    (folder / "x.csv").write_text("video,mos\n" + "".join(f"{i:02}.mp4,{i}\n" for i in range(4)))
    one_line(command("fuse", *fit, "labels=x.csv"), "labels: 4 of the 4 videos of x.csv have predictions, exp")
    (folder / "x.csv").write_text("video,mos\n" + "".join(f"{i:02}.mp4,3\n" for i in range(9)))
    one_line(command("fuse", *fit, "labels=x.csv"), "labels: the scores in x.csv are placeholders, no opinions")
    (folder / "x.csv").write_text("video,mos\n" + "".join(f"{i:02}.mp4,3\n" for i in range(5)) + "y,1\n")
    one_line(command("fuse", *fit, "labels=x.csv"), "labels: the MOS of all 5 videos is 3")
    (folder / "x.csv").write_text("video,mos\n" + "".join(f"v{i},{i}\n" for i in range(9)))
    one_line(
        command("fuse", *fit, "labels=x.csv"),
        "labels: none of the 20 names is among the 9 labelled ones, for example 00.mp4 and v0",
    )
    (folder / "x.csv").write_text("video,mos\n" + "".join(f"{i:02},{9 - v}\n" for i, v in enumerate(MOS)))
    one_line(
        command("fuse", *fit, "labels=x.csv"),
        "weights: on the 20 videos of x.csv no weights give scores that rise with the MOS (the best PLCC is -0.",
    )


def test_what_is_read_is_not_written_over(command: Run, folder):
    fit = (FILES, "weights=fit", "labels=mos.csv", "overwrite=true")
    one_line(command("fuse", *fit, "output=./mos.csv"), "output: mos.csv is read by this command (labels=mos.csv")
    one_line(command("fuse", *fit, "output=b.csv"), "output: b.csv is read by this command (files.aesthetic=")
