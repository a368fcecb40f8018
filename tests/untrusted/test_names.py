"""Names in annotations, lists and command lines."""

import os
from pathlib import Path

import pytest

from benchmarks.checkpoints import fused
from untrusted.conftest import hostile, in_time
from zoomvqa.data.labelled_set import load_set, load_without_files
from zoomvqa.errors import AnnotationError, UserError, VideoError
from zoomvqa.evaluation.methods import folder_name
from zoomvqa.scoring.bulk import score_many
from zoomvqa.scoring.inputs import find_inputs
from zoomvqa.scoring.scorer import Scorer
from zoomvqa.settings.data import DataSettings


def settings(root: Path, table: Path, **more: object) -> DataSettings:
    return DataSettings(name="x", root=str(root), annotations=str(table), val_share=0.0, **more)


def test_names_in_annotations(work, address):
    names = [name for name in hostile(address, work) if "\udcff" not in name]  # no text file holds those
    lines = [f'"{name}",{number}' for number, name in enumerate(names)]
    (work / "t.csv").write_text("\n".join(["video,mos", *lines, "good.mp4,3"]))
    with in_time():
        assert [v.name for v in load_set(settings(work, work / "t.csv", missing="skip")).videos] == ["good.mp4"]
        with pytest.raises(AnnotationError, match=f"{len(names)} of {len(names) + 1} videos are not under"):
            load_set(settings(work, work / "t.csv"))
        assert len(load_without_files(settings(work, work / "t.csv")).videos) == len(names) + 1


def test_bytes_in_annotations(work):
    for data, message in (
        (b"video,mos\n\xff\xfe.mp4,3\n", "row 2 is not UTF-8"),
        (b"video,mos\na\0b.mp4,3\n", "zero bytes in it"),
        (b'video,mos\n"a\n../../etc/passwd",3\n', "1 of 1 videos are not under"),
    ):
        (work / "t.csv").write_bytes(data)
        with pytest.raises(AnnotationError, match=message):
            load_set(settings(work, work / "t.csv"))


def test_what_names_in_annotations_lead_to(work):
    """Links, pipes and devices below the root are no videos, and nothing waits for them."""
    os.mkfifo(work / "t.pipe.mp4")
    (work / "t.loop.mp4").symlink_to("t.loop.mp4")
    (work / "t.zero.mp4").symlink_to("/dev/zero")
    (work / "t.folder.mp4").mkdir()
    (work / "t.folder.mp4" / "t.above").symlink_to(work)
    names = ["t.pipe.mp4", "t.loop.mp4", "t.zero.mp4", "t.folder.mp4", "t.above"]
    (work / "t.csv").write_text("\n".join(["video,mos", *(f"{name},1" for name in names), "good,3"]))
    with in_time():
        left = load_set(settings(work, work / "t.csv", missing="skip")).videos
    assert [v.name for v in left] == ["good"]


def test_annotation_files_themselves(work, address):
    os.mkfifo(work / "t.pipe.csv")
    (work / "t.loop.csv").symlink_to("t.loop.csv")
    for file in ("t.pipe.csv", "t.loop.csv", "/dev/zero", ".", f"http://{address}/t.csv", "x" * 10_000, "a\0b"):
        with in_time(), pytest.raises(AnnotationError) as refused:
            load_without_files(settings(work, Path(file)))
        assert len(str(refused.value).splitlines()) == 1
        assert len(str(refused.value)) < 1000


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(fused(small=True), "cpu")


def test_names_in_lists(work, address, scorer):
    names = [name.replace("\udcff\udcfe", "ÿ") for name in hostile(address, work) if name.strip() == name]
    # What a user lists is theirs to read, wherever it lies.
    allowed = {"../outside.mp4", str(work.parent / "outside.mp4"), "good.mp4"}
    (work / "list.txt").write_text("\n".join([*names, "good.mp4"]))
    with in_time(300):
        given = ((item.name, item.place) for item in find_inputs("list.txt"))
        found = dict(score_many(scorer, given, workers=0, patience=60))
    assert set(found) == {*names, "good.mp4"}
    assert {name for name, result in found.items() if result.score is not None} == allowed
    assert all(result.error for name, result in found.items() if name not in allowed)


def test_names_as_an_input(work, address, scorer):
    found = {"../outside.mp4", str(work.parent / "outside.mp4"), "*", "[a-z]*", ".", "..", "/", "/" * 10_000}
    for name in {*hostile(address, work), "a\0b"} - found:
        # There is no such file, or it is no video.
        with in_time(), pytest.raises((UserError, VideoError, OSError, ValueError, RuntimeError)):
            for item in find_inputs(name):
                ((_, result),) = score_many(scorer, [(item.name, item.place)], workers=0, patience=60)
                if result.score is None:
                    raise VideoError(result.error)


def test_paths_that_are_no_files(work, scorer):
    os.mkfifo(work / "t.pipe.mp4")
    (work / "t.loop.mp4").symlink_to("t.loop.mp4")
    (work / "t.zero.mp4").symlink_to("/dev/zero")
    for name in ("t.pipe.mp4", "t.loop.mp4", "t.zero.mp4", "/dev/zero", "/dev/stdin", ".", "/proc/self/mem"):
        with in_time():
            ((_, result),) = score_many(scorer, [(name, name)], workers=0, patience=60)
        assert result.score is None
        assert result.error


def test_bytes_that_are_no_text_in_a_list(work):
    (work / "list.txt").write_bytes(b"t.\xff\xfe.mp4\n")
    with pytest.raises(UserError, match="not a readable text file"):
        find_inputs("list.txt")


def test_names_of_methods_stay_in_the_output_folder():
    for name in ("../../x", "/etc/passwd", "..", ".", "", "a/b", "a\\b", "~", "$(touch pwned)", "x\n", "\0"):
        assert Path("out", folder_name(name)).parent == Path("out")
        assert folder_name(name) not in {"", ".", ".."}
