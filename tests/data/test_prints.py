"""Prints of videos, and contents guessed from them."""

import numpy as np
import pytest
from conftest import Make

from zoomvqa.data import picture_contents
from zoomvqa.data.labelled_set import load_set
from zoomvqa.data.prints import groups_alike, picture_print, video_prints
from zoomvqa.settings.data import DataSettings


def test_a_print_is_the_brightness_of_cells():
    picture = np.kron(np.arange(64).reshape(8, 8), np.ones((5, 3)))
    assert picture_print(picture).tolist() == list(range(64))
    assert picture_print(np.full((3, 2), 9.0)).tolist() == [9] * 64


def test_brightness_and_contrast_do_not_tell_scenes_apart_but_pictures_do():
    draw = np.random.default_rng(0)
    one, other = (draw.integers(40, 160, (3, 64)).astype(np.uint8) for _ in range(2))
    brighter = (one * 0.6 + 60).astype(np.uint8)
    flat = np.full((3, 64), 90, np.uint8)
    assert groups_alike([one, other, brighter, flat, flat]) == [0, 1, 0, 3, 4]


@pytest.fixture
def versions(make_video: Make, tmp_path):
    """Three scenes, each clear, soft and dark; their names tell nothing."""
    rows = []
    changes = ("null", "gblur=sigma=3", "eq=brightness=-0.2")
    for scene, picture in enumerate(("testsrc2", "mandelbrot", "smptebars")):
        for version, change in enumerate(changes):
            made = make_video(f"{picture}_{version}_p.mp4", "-vf", change, frames=10, picture=picture)
            name = f"{(scene * 3 + version) * 37 % 101}.mp4"
            (tmp_path / name).write_bytes(made.read_bytes())
            rows.append((name, scene))
    (tmp_path / "t.csv").write_text("video,mos\n" + "".join(f"{n},{i + 0.5}\n" for i, (n, _) in enumerate(rows)))
    return tmp_path, [scene for _, scene in rows]


def test_versions_of_a_scene_are_kept_together(versions, capsys, monkeypatch):
    folder, scenes = versions
    settings = DataSettings(name="x", root=str(folder), annotations=str(folder / "t.csv"), contents="pictures")
    labelled = load_set(settings)
    found = [video.content for video in labelled.videos]
    assert len(set(found)) == 3
    assert len(set(zip(found, scenes, strict=True))) == 3
    assert len({(video.content, video.split) for video in labelled.videos}) == 3
    assert labelled.split_facts == {"contents": "pictures", "split": "drawn"}
    assert "9 videos of x show 3 contents, guessed from pictures" in " ".join(capsys.readouterr().err.split())
    monkeypatch.setattr(picture_contents, "video_prints", None)  # the second time nothing is decoded
    assert load_set(settings) == labelled


def test_a_video_of_one_frame_has_three_prints(make_video: Make):
    assert video_prints(make_video("one_p.mp4", frames=1), "auto").shape == (3, 64)
