"""Frames and clips of the same videos, out of one decoding."""

from dataclasses import replace

import pytest
import torch
from conftest import Make

from zoomvqa.data.datamodule import VideoDataModule
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.data.video_training import VideoTraining
from zoomvqa.data.whole_videos import WholeVideos
from zoomvqa.errors import AnnotationError, SettingsError
from zoomvqa.settings.fusion import FusionLoading
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.video.reader import Video
from zoomvqa.views import look_of

LOOKS = {
    "frames_of_it": look_of(FrameSampling(rate=4.0), FrameView(resize=64, crop=48)),
    "fragments": look_of(
        ClipSampling(clip_len=4, train_clips=2, test_clips=3), ClipView(resize=-1, grid=2, side=16)
    ),
    "whole": look_of(ClipSampling(clip_len=2, test_clips=1), ClipView(kind="whole", grid=1, side=32)),
}


@pytest.fixture
def labelled(make_video: Make) -> LabelledSet:
    videos = [
        LabelledVideo(f"v{i}", make_video(f"clips_{20 + i}.mp4", frames=20 + i), float(i), f"v{i}", split)
        for i, split in enumerate(["train"] * 5 + ["val"] * 2)
    ]
    return LabelledSet("made", tuple(videos), (0.0, 5.0))


def module(labelled: LabelledSet, seed: int = 0, **loading) -> VideoDataModule:
    settings = FusionLoading(**({"batch_size": 3, "workers": 0, "frames": 5} | loading))
    source = VideoTraining(LOOKS, settings, seed=seed, parts=settings.frames)
    made = VideoDataModule(labelled, LOOKS, source, settings.workers)
    made.prepare_data()
    made.setup("fit")
    return made


def test_batches(labelled):
    batches = list(module(labelled).train_dataloader())
    shapes = {name: [tuple(b.inputs[name].shape) for b in batches] for name in LOOKS}
    assert shapes["frames_of_it"] == [(3, 5, 1, 1, 3, 48, 48), (2, 5, 1, 1, 3, 48, 48)]
    assert shapes["fragments"] == [(3, 2, 4, 32, 32, 3), (2, 2, 4, 32, 32, 3)]
    assert shapes["whole"] == [(3, 1, 2, 32, 32, 3), (2, 1, 2, 32, 32, 3)]
    assert sorted(m for b in batches for m in b.mos.tolist()) == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_draws_are_the_seed_s(labelled):
    one, same, other = (list(module(labelled, seed).train_dataloader()) for seed in (0, 0, 1))
    for name in LOOKS:
        assert all(torch.equal(a.inputs[name], b.inputs[name]) for a, b in zip(one, same, strict=True))
        assert not torch.equal(one[0].inputs[name], other[0].inputs[name])


def test_whole_videos_are_what_each_branch_alone_sees(labelled, monkeypatch):
    opened = []
    frames = Video.frames
    monkeypatch.setattr(Video, "frames", lambda self, indices: opened.append(1) or frames(self, indices))
    pairs = list(module(labelled).val_dataloader())
    assert len(opened) == 2
    videos = labelled.part("val")
    alone = {name: WholeVideos(videos, {name: look}) for name, look in LOOKS.items()}
    for number, pair in enumerate(pairs):
        for name in LOOKS:
            assert torch.equal(pair.inputs[name], alone[name][number].inputs[name])
        assert (int(pair.index), float(pair.mos)) == (number, 5.0 + number)


def test_mistakes(labelled, tmp_path, monkeypatch):
    bad = LabelledVideo("bad", tmp_path / "bad.mp4", 1.0, "b", "train")
    bad.path.write_text("no video")
    folder = replace(bad, name="folder", path=tmp_path)
    broken = LabelledSet("made", (*labelled.videos, bad, folder), (0.0, 5.0))
    with pytest.raises(AnnotationError, match="2 of 9 videos cannot be read:\n  bad: .*\n  folder: a folder of"):
        module(broken)
    monkeypatch.setattr(VideoDataModule, "_place", lambda self: (0, 2))
    with pytest.raises(SettingsError, match="branch.loading.batch_size: got 3, expected a multiple of the 2"):
        module(labelled)
