"""The probe: what it is fitted on, what it is kept from, and what it says."""

import numpy as np
import pytest
import torch
from torch import nn

from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.errors import SettingsError
from zoomvqa.evaluation import probe as probes
from zoomvqa.evaluation.methods import part_to_judge
from zoomvqa.evaluation.probe import probe_features, probe_scores, run_probe
from zoomvqa.models.backbones import create_backbone
from zoomvqa.models.statistics import MapStatistics
from zoomvqa.settings.base import check
from zoomvqa.settings.probe import Probe

SMALL = Probe(resize=64, crop=64)


@pytest.fixture
def labelled(make_video, tmp_path, monkeypatch) -> LabelledSet:
    """Twelve videos of six contents: eight to train on, four to test."""
    monkeypatch.setenv("ZOOMVQA_CACHE", str(tmp_path / "cache"))
    torch.manual_seed(0)
    backbone = create_backbone("test_efficientnet")
    monkeypatch.setattr(probes, "probe_network", lambda: MapStatistics(backbone))
    videos = []
    for number, picture in enumerate(
        ("testsrc2", "mandelbrot", "testsrc", "rgbtestsrc", "smptebars", "yuvtestsrc")
    ):
        for level in (1, 8):
            path = make_video(f"{picture}_{level}.mp4", "-vf", f"gblur=sigma={level}", frames=26, picture=picture)
            split = "train" if number < 4 else "test"
            videos.append(LabelledVideo(path.name, path, 90.0 - 8 * level, picture, split))
    return LabelledSet("made", tuple(videos), (0.0, 100.0))


def test_it_tells_blurred_videos_from_sharp_ones(labelled):
    tested = part_to_judge(labelled, "auto")
    outcome = run_probe(labelled, tested, SMALL)
    assert outcome is not None
    assert (outcome.method, outcome.split, outcome.missing) == ("probe", "test", 0)
    assert "fitted on the 8 training videos of this set" in outcome.note
    sharp, blurred = outcome.judged.score[0::2], outcome.judged.score[1::2]
    assert (sharp > blurred).all()


def test_features_are_made_once_and_the_same(labelled, monkeypatch):
    first = probe_features(labelled.videos, SMALL)
    assert len(first) == 12
    monkeypatch.setattr(probes, "probe_network", lambda: pytest.fail("looked at again"))
    again = probe_features(labelled.videos, SMALL)
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name])


def test_a_video_that_cannot_be_read_is_left_out_and_said(labelled, tmp_path, capsys):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    videos = (*labelled.videos, LabelledVideo("broken.mp4", broken, 1.0, "x", "test"))
    found = probe_features(videos, SMALL)
    assert "broken.mp4" not in found
    assert len(found) == 12
    assert "probe: " in capsys.readouterr().err


def test_labels_of_what_is_judged_do_not_matter(labelled):
    features = probe_features(labelled.videos, SMALL)
    train, test = labelled.part("train"), labelled.part("test")
    wrong = [LabelledVideo(v.name, v.path, 0.0, v.content, v.split) for v in test]
    assert probe_scores(features, train, test) == probe_scores(features, train, wrong)


def test_a_set_without_a_training_part(labelled, capsys):
    whole = LabelledSet("made", tuple(v for v in labelled.videos if v.split == "test"), (0.0, 100.0))
    assert run_probe(whole, part_to_judge(whole, "all"), SMALL) is None
    assert "made: no probe: the set has no training videos beside those" in " ".join(
        capsys.readouterr().err.split()
    )
    one = LabelledSet(
        "made", tuple(v for v in labelled.videos if v.content in {"testsrc", "smptebars"}), (0.0, 100.0)
    )
    assert run_probe(one, part_to_judge(one, "test"), SMALL) is None
    assert "no training videos of at least two contents" in " ".join(capsys.readouterr().err.split())


def test_statistics_of_maps():
    class Two(nn.Module):
        class feature_info:  # noqa: N801  a stand-in for timm's
            channels = staticmethod(lambda: [3, 2])

        def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
            return [x, x.permute(0, 2, 3, 1)[..., :2]]  # the second with channels last

    views = torch.rand(2, 3, 5, 7)
    found = MapStatistics(Two())(views)
    assert found.shape == (2, 10)
    torch.testing.assert_close(found[:, :3], views.mean(dim=(2, 3)))
    torch.testing.assert_close(found[:, 3:6], views.std(dim=(2, 3), correction=0))
    torch.testing.assert_close(found[:, 6:8], views[:, :2].mean(dim=(2, 3)))


def test_a_crop_that_does_not_fit():
    with pytest.raises(SettingsError, match="crop: got 200, expected at most resize, which is 100"):
        check(Probe, {"resize": 100, "crop": 200})
