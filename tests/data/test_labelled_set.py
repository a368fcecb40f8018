from collections import defaultdict

import pytest

from zoomvqa.data.annotations import Label
from zoomvqa.data.labelled_set import load_set
from zoomvqa.data.split import assign_splits
from zoomvqa.errors import AnnotationError
from zoomvqa.settings.data import DataSettings


@pytest.fixture
def folder(tmp_path):
    """Twelve files of six contents, and a table of them."""
    for content in "abcdef":
        for version in (1, 2):
            (tmp_path / "v" / f"{content}_{version}.mp4").parent.mkdir(exist_ok=True)
            (tmp_path / "v" / f"{content}_{version}.mp4").touch()
    rows = [f"{c}_{v},{i}.5" for i, c in enumerate("abcdef") for v in (1, 2)]
    (tmp_path / "t.csv").write_text("video,mos\n" + "\n".join(rows))
    return tmp_path


def settings(folder, **changes) -> DataSettings:
    values = {"name": "x", "root": str(folder / "v"), "annotations": str(folder / "t.csv")}
    return DataSettings(**(values | {"content_pattern": r"^(.)_"} | changes))


def test_names_without_endings_are_found(folder):
    labelled = load_set(settings(folder))
    assert len(labelled.videos) == 12
    assert labelled.videos[0].path.name == "a_1.mp4"


def test_no_content_is_on_two_sides(folder):
    for seed in range(10):
        labelled = load_set(settings(folder, val_share=0.3, test_share=0.2, split_seed=seed))
        sides = defaultdict(set)
        for video in labelled.videos:
            sides[video.content].add(video.split)
        assert all(len(s) == 1 for s in sides.values())
        assert {s for side in sides.values() for s in side} == {"train", "val", "test"}


def test_split_is_the_same_every_time(folder):
    first, second = load_set(settings(folder)), load_set(settings(folder))
    assert first == second
    other = load_set(settings(folder, split_seed=3))
    assert [v.split for v in other.videos] != [v.split for v in first.videos]


def test_scale_is_the_training_labels_unless_told(folder):
    labelled = load_set(settings(folder))
    scores = [v.mos for v in labelled.part("train")]
    assert labelled.mos_range == (min(scores), max(scores))
    assert load_set(settings(folder, mos_range=(0.0, 100.0))).mos_range == (0.0, 100.0)


def test_a_file_a_split(folder):
    (folder / "train.txt").write_text("a_1.mp4,-1,-1,3\n")
    (folder / "val.txt").write_text("b_1.mp4,-1,-1,4\n")
    files = {"train": str(folder / "train.txt"), "val": str(folder / "val.txt")}
    labelled = load_set(settings(folder, annotations=files))
    assert [v.split for v in labelled.videos] == ["train", "val"]


def test_all_missing_files_are_listed(folder):
    for name in ("b_1", "e_2"):
        (folder / "v" / f"{name}.mp4").unlink()
    with pytest.raises(AnnotationError, match=r"(?s)2 of 12 videos are not under.*b_1\n.*e_2"):
        load_set(settings(folder))


def test_missing_root(folder):
    with pytest.raises(AnnotationError, match="data.root is not a folder"):
        load_set(settings(folder, root=str(folder / "nowhere")))


def test_listed_twice(folder):
    (folder / "t.csv").write_text("video,mos\na_1,1\nb_1,2\na_1,3\n")
    with pytest.raises(AnnotationError, match="1 videos are listed more than once: a_1"):
        load_set(settings(folder))


def test_two_rows_that_mean_one_file(folder):
    (folder / "t.csv").write_text("video,mos\nx/a_1.mp4,1\ny/a_1.mp4,2\nb_1.mp4,2\n")
    with pytest.raises(AnnotationError, match="1 files are meant by more than one row: .*a_1.mp4"):
        load_set(settings(folder))


def test_each_side_gets_a_content_however_few_there_are():
    labels = [Label(c, 1, content=c) for c in "ab"]
    assert sorted(assign_splits(labels, 0.2, 0.2, 0)) == ["train", "val"]
    assert sorted(assign_splits([*labels, Label("c", 1, content="c")], 0.2, 0.2, 0)) == ["test", "train", "val"]
    assert assign_splits(labels[:1], 0.2, 0.2, 0) == ["train"]


def test_missing_split(folder):
    with pytest.raises(AnnotationError, match="has no test videos, only: train, val"):
        load_set(settings(folder)).part("test")


def test_content_on_both_sides_of_a_told_split():
    labels = [Label("a1", 1, content="a", split="train"), Label("a2", 1, content="a", split="val")]
    with pytest.raises(AnnotationError, match="more than one side of the split: a"):
        assign_splits(labels, 0.2, 0.2, 0)


def test_open_labels_follow_their_content():
    labels = [Label("a1", 1, content="a", split="test"), Label("a2", 1, content="a")]
    assert assign_splits(labels, 0.2, 0.0, 0) == ["test", "test"]


def test_frame_folders(tmp_path):
    for name in ("A_01", "A_02"):
        (tmp_path / "frames" / name).mkdir(parents=True)
    (tmp_path / "x.json").write_text('{"train": [["../data/f/A_01", 2, 1.0], ["../data/f/A_02", 2, 2.0]]}')
    labelled = load_set(
        settings(tmp_path, root=str(tmp_path / "frames"), annotations=str(tmp_path / "x.json"), layout="frames")
    )
    assert [v.path.name for v in labelled.videos] == ["A_01", "A_02"]


def test_a_limit_takes_evenly_of_each_split(tmp_path):
    for number in range(10):
        (tmp_path / f"{number}.mp4").touch()
    rows = "\n".join(f"{n}.mp4,{n},{'train' if n < 7 else 'test'}" for n in range(10))
    (tmp_path / "a.csv").write_text("video,mos,split\n" + rows)
    where = {"name": "x", "root": str(tmp_path), "annotations": str(tmp_path / "a.csv"), "val_share": 0.0}
    few = load_set(DataSettings(**where, limit=3))
    assert [v.name for v in few.part("train")] == ["0.mp4", "2.mp4", "4.mp4"]
    assert [v.name for v in few.part("test")] == ["7.mp4", "8.mp4", "9.mp4"]
    own = load_set(DataSettings(**where, limit=3, overfit=True))
    assert [v.name for v in own.part("val")] == [v.name for v in own.part("train")]
    assert own.mos_range == (0, 4)


def test_videos_that_are_not_there_can_be_left_out(folder, capsys):
    with (folder / "t.csv").open("a") as handle:
        handle.write("\ng_1,3.0")
    with pytest.raises(AnnotationError, match="g_1"):
        load_set(settings(folder))
    labelled = load_set(settings(folder, missing="skip"))
    assert len(labelled.videos) == 12
    assert "1 of 13 videos of x are not there: left out" in capsys.readouterr().err
