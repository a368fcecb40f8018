"""Set-wise fusion of prediction files."""

import json
from pathlib import Path

import numpy as np
import pytest

from zoomvqa.errors import UserError
from zoomvqa.scoring.fuse_files import fuse, fuse_files, rescaled
from zoomvqa.scoring.prediction_files import read_predictions

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "fusion.json").read_text())


def written(path: Path, scores: dict[str, float]) -> Path:
    path.write_text("".join(f"{name},{score!r}\n" for name, score in scores.items()))
    return path


@pytest.fixture
def files(tmp_path) -> tuple[Path, Path]:
    names = GOLDEN["video"]
    iqa = written(tmp_path / "iqa.txt", dict(zip(names, GOLDEN["iqa"], strict=True)))
    vqa = dict(zip(names, GOLDEN["vqa"], strict=True))
    return iqa, written(tmp_path / "vqa.txt", dict(sorted(vqa.items(), key=lambda item: item[1])))


def test_the_release_s_files_give_its_output(files, tmp_path):
    assert fuse_files(*files, tmp_path / "out.txt", 0.5, None) == (253, "vqa")
    fused = read_predictions(tmp_path / "out.txt", "out").scores
    assert list(fused) == GOLDEN["video"]
    np.testing.assert_allclose(list(fused.values()), GOLDEN["fused"], rtol=0, atol=1e-9)


def test_the_share(files, tmp_path):
    fuse_files(*files, tmp_path / "out.txt", 0.0, ["vqa"])
    assert list(read_predictions(tmp_path / "out.txt", "out").scores.values()) == GOLDEN["vqa"]


def test_a_table_with_a_header(tmp_path):
    (tmp_path / "t.csv").write_text('video,mos,score\n"a,b.mp4",1,4\nc.mp4,2,5\n')
    (tmp_path / "u.csv").write_text('video,score\nc.mp4,5\n"a,b.mp4",4\n')
    assert fuse_files(tmp_path / "t.csv", tmp_path / "u.csv", tmp_path / "o.txt", 0.5, None) == (2, "neither")
    fused = read_predictions(tmp_path / "o.txt", "iqa").scores
    assert list(fused) == ["a,b.mp4", "c.mp4"]
    assert fused["a,b.mp4"] == pytest.approx(100 / (1 + np.e))
    with pytest.raises(UserError, match="output: .* is read by this command"):
        fuse_files(tmp_path / "t.csv", tmp_path / "u.csv", tmp_path / "u.csv", 0.5, None)


def test_files_of_other_videos(tmp_path):
    iqa = written(tmp_path / "i.txt", {f"{i}.mp4": 1.0 + i for i in range(9)})
    vqa = written(tmp_path / "v.txt", {f"{i}.mp4": 1.0 + i for i in range(8, 10)})
    with pytest.raises(UserError, match=r"8 only in iqa \(0.mp4, .* and 3 more\); 1 only in vqa \(9.mp4\)"):
        fuse_files(iqa, vqa, tmp_path / "o.txt", 0.5, [])
    assert not (tmp_path / "o.txt").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.mp4,1\n", "has 1 predictions; scaling them by each other takes at least two"),
        ("", "the file is empty"),
        ("video,score\na,1\nb,2\nc,\n", "has no score for 1 videos, such as c"),
    ],
)
def test_files_that_cannot_be_scaled(tmp_path, text, message):
    (tmp_path / "i.txt").write_text(text)
    with pytest.raises(UserError, match=message):
        fuse_files(tmp_path / "i.txt", tmp_path / "i.txt", tmp_path / "o.txt", 0.5, None)


def test_what_is_not_rescaled_is_not_taken_for_it(tmp_path):
    one = written(tmp_path / "i.txt", {"a": -1.0, "b": 2.0})
    with pytest.raises(UserError, match="rescaled: the vqa file has scores outside 0..100"):
        fuse_files(one, one, tmp_path / "o.txt", 0.5, ["vqa"])


def test_any_number_of_files(tmp_path):
    scores = {name: {f"{i}.mp4": float(v) for i, v in enumerate(row)} for name, row in THREE.items()}
    files = {name: written(tmp_path / f"{name}.csv", part) for name, part in scores.items()}
    columns, _ = fuse(files, tmp_path / "o.txt", lambda _: np.array([0.5, 0.3, 0.2]), ["c"], prefix="files.")
    assert (columns.names, columns.rescaled_before, columns.told_rescaled) == (("a", "b", "c"), ("c",), "c")
    parts = [rescaled(np.array(THREE["a"])), rescaled(np.array(THREE["b"])), np.array(THREE["c"])]
    expected = 0.5 * parts[0] + 0.3 * parts[1] + 0.2 * parts[2]
    assert list(read_predictions(tmp_path / "o.txt", "o").scores.values()) == expected.tolist()


THREE = {"a": [1.0, 2.0, 4.0], "b": [9.0, 3.0, 5.0], "c": [10.0, 50.0, 70.0]}


def test_three_files_of_other_videos(tmp_path):
    lists = {"a": "xyz", "b": "xy", "c": "xyw"}
    files = {
        name: written(tmp_path / f"{name}.csv", {v: float(i) for i, v in enumerate(videos)})
        for name, videos in lists.items()
    }
    with pytest.raises(UserError) as error:
        fuse(files, tmp_path / "o.txt", lambda _: np.ones(3) / 3, prefix="files.")
    assert str(error.value) == ("files: the files do not list the same videos: 1 only in a (z); 1 only in c (w)")
    written(files["b"], {"x": 1.0, "z": 2.0})
    with pytest.raises(UserError, match=r"1 only in a and c \(y\); 1 only in a and b \(z\); 1 only in c \(w\)"):
        fuse(files, tmp_path / "o.txt", lambda _: np.ones(3) / 3, prefix="files.")


def test_a_name_in_rescaled_that_no_file_has(files, tmp_path):
    with pytest.raises(UserError) as error:
        fuse_files(*files, tmp_path / "o.txt", 0.5, ["vqq"])
    assert str(error.value) == "rescaled.0: got 'vqq', expected 'iqa' or 'vqa' (did you mean 'vqa'?)"
