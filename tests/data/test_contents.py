"""Contents guessed from names, and what is said where none are known."""

import pytest

from zoomvqa.data.annotations import Label
from zoomvqa.data.contents import contents_by_name, guess_pattern, unknown_contents
from zoomvqa.data.labelled_set import load_set, load_without_files
from zoomvqa.errors import AnnotationError
from zoomvqa.settings.data import DataSettings

# The names of VDPVE's own label file, which tells no contents: <content>_<version>.mp4.
VDPVE = [f"{c}_{v:02d}.mp4" for c in ("A0023", "A0066", "B0011", "C0004", "C0107") for v in range(1, 9)]


@pytest.mark.parametrize(
    ("names", "pattern", "contents"),
    [
        (VDPVE, "^([^_]+)_", 5),
        ([f"train/{name}" for name in VDPVE], "^([^_]+)_", 5),
        ([f"my-{c}-{v}.mp4" for c in "abcd" for v in "xyz"], "^([^-]+-[^-]+)-", 4),
        ([f"{c}{v}.mp4" for c in ("cat", "dog", "cow") for v in (1, 2, 3)], r"^(.*?\D)\d+(?:\.\w+)?$", 3),
        # The fewest groups, which keep the most together: not one for each codec.
        ([f"{c}_{k}_{r}.mp4" for c in "abcd" for k in ("avc", "vp9") for r in (1, 2)], "^([^_]+)_", 4),
    ],
)
def test_groups_in_names(names, pattern, contents):
    assert guess_pattern(names) == (pattern, contents)


@pytest.mark.parametrize(
    "names",
    [
        [f"{number}.mp4" for number in range(4542323058, 4542323158)],  # KoNViD-1k
        [f"A{number:03d}.mp4" for number in range(50)],  # LIVE-VQC
        [f"orig_{number}_540_5s.mp4" for number in range(50)],  # KonVid-150k: each of its own
        ["a.mp4"],
        [],
    ],
)
def test_names_that_show_no_groups(names):
    assert guess_pattern(names) is None


def test_what_the_annotation_tells_stays():
    labels = [Label(name, 1.0, content="told" if name.startswith("A0023") else None) for name in VDPVE]
    made, _ = contents_by_name(labels, "x")
    assert [label.content for label in made[:9]] == ["told"] * 8 + ["A0066"]
    with pytest.raises(AnnotationError, match="data.contents: got 'names', but the names of x show no groups"):
        contents_by_name([Label("a", 1.0), Label("b", 1.0)], "x")


@pytest.fixture
def vdpve(tmp_path):
    (tmp_path / "labels.txt").write_text("".join(f"{name},-1,-1,{i + 0.5}\n" for i, name in enumerate(VDPVE)))
    for name in VDPVE:
        (tmp_path / name).touch()
    return lambda **changes: DataSettings(
        name="folder", root=str(tmp_path), annotations=str(tmp_path / "labels.txt"), **changes
    )


def torn(labelled) -> int:
    """How many scenes are on two sides."""
    sides = {(video.name.split("_")[0], video.split) for video in labelled.videos}
    return len(sides) - 5


def test_a_drawn_split_without_contents_is_told_with_the_pattern(vdpve, capsys):
    labelled = load_set(vdpve())
    told = " ".join(capsys.readouterr().err.split())
    assert torn(labelled) > 0
    assert told.count("Warning: the split of folder is drawn at random") == 1
    assert "no content is known of 40 of its 40 videos" in told
    assert "data.content_pattern='^([^_]+)_' makes 5 contents of their names" in told
    assert labelled.split_facts == {"contents": "unknown", "split": "drawn"}
    offered = load_set(vdpve(content_pattern="^([^_]+)_"))
    assert torn(offered) == 0
    assert offered.split_facts == {"contents": "known", "split": "drawn"}
    assert capsys.readouterr().err == ""


def test_contents_guessed_from_names_are_kept_together(vdpve, capsys):
    for load in (load_set, load_without_files):
        labelled = load(vdpve(contents="names"))
        assert torn(labelled) == 0
        assert labelled.split_facts == {"contents": "names", "split": "drawn"}
        told = " ".join(capsys.readouterr().err.split())
        assert "data.content_pattern='^([^_]+)_'" in told
        assert "40 videos of folder show 5 contents, guessed from names" in told
        assert "Warning" not in told


def test_videos_that_are_each_of_a_scene_are_not_warned_of(vdpve, capsys):
    assert load_set(vdpve(contents="unique")).split_facts == {"contents": "unique", "split": "drawn"}
    assert capsys.readouterr().err == ""


def test_where_nothing_is_drawn_nothing_is_told(vdpve, capsys):
    assert load_set(vdpve(val_share=0.0)).split_facts == {"contents": "unknown", "split": "given"}
    assert capsys.readouterr().err == ""


def test_pictures_cannot_be_compared_without_videos(vdpve):
    with pytest.raises(
        AnnotationError, match="data.contents: got 'pictures', but the videos of folder are not at"
    ):
        load_without_files(vdpve(contents="pictures"))


def test_names_without_groups_offer_no_pattern():
    told = unknown_contents([Label("a.mp4", 1.0), Label("b.mp4", 2.0, content="c")], "x")
    assert "of 1 of its 2 videos" in told
    assert "a column `content` or data.content_pattern tells them" in told
    assert "\n" not in told
