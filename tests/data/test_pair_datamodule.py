"""Frames and clips of the same videos, out of one decoding."""

from dataclasses import replace

import pytest
import torch
from conftest import Make

from zoomvqa.data.clip_dataset import WholeVideoClips
from zoomvqa.data.frame_dataset import WholeVideos
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.data.pair_datamodule import PairDataModule
from zoomvqa.data.pair_dataset import PairSampling
from zoomvqa.errors import AnnotationError, SettingsError
from zoomvqa.settings.fusion import PairLoading
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.video.reader import Video

SAMPLING = PairSampling(
    FrameSampling(rate=4.0),
    FrameView(resize=64, crop=48),
    ClipSampling(clip_len=4, train_clips=2, test_clips=3),
    ClipView(resize=-1, grid=2, side=16),
)


@pytest.fixture
def labelled(make_video: Make) -> LabelledSet:
    videos = [
        LabelledVideo(f"v{i}", make_video(f"clips_{20 + i}.mp4", frames=20 + i), float(i), f"v{i}", split)
        for i, split in enumerate(["train"] * 5 + ["val"] * 2)
    ]
    return LabelledSet("made", tuple(videos), (0.0, 5.0))


def module(labelled: LabelledSet, seed: int = 0, **loading) -> PairDataModule:
    settings = PairLoading(**({"batch_size": 3, "workers": 0, "frames": 5} | loading))
    made = PairDataModule(labelled, SAMPLING, settings, seed)
    made.setup("fit")
    return made


def test_batches(labelled):
    batches = list(module(labelled).train_dataloader())
    assert [tuple(b.views.shape) for b in batches] == [(3, 5, 3, 48, 48), (2, 5, 3, 48, 48)]
    assert [tuple(b.clips.shape) for b in batches] == [(3, 2, 4, 32, 32, 3), (2, 2, 4, 32, 32, 3)]
    assert sorted(m for b in batches for m in b.mos.tolist()) == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_draws_are_the_seed_s(labelled):
    one, same, other = (list(module(labelled, seed).train_dataloader()) for seed in (0, 0, 1))
    for part in ("views", "clips"):
        assert all(torch.equal(getattr(a, part), getattr(b, part)) for a, b in zip(one, same, strict=True))
        assert not torch.equal(getattr(one[0], part), getattr(other[0], part))


def test_whole_videos_are_what_each_branch_alone_sees(labelled, monkeypatch):
    opened = []
    frames = Video.frames
    monkeypatch.setattr(Video, "frames", lambda self, indices: opened.append(1) or frames(self, indices))
    pairs = list(module(labelled).val_dataloader())
    assert len(opened) == 2
    videos = labelled.part("val")
    by_frames = WholeVideos(videos, SAMPLING.frames, SAMPLING.frame_view)
    by_clips = WholeVideoClips(videos, SAMPLING.clips, SAMPLING.clip_view)
    for number, pair in enumerate(pairs):
        assert torch.equal(pair.views, by_frames[number].views)
        assert torch.equal(pair.clips, by_clips[number].clips)
        assert (int(pair.index), float(pair.mos)) == (number, 5.0 + number)


def test_mistakes(labelled, tmp_path, monkeypatch):
    bad = LabelledVideo("bad", tmp_path / "bad.mp4", 1.0, "b", "train")
    bad.path.write_text("no video")
    folder = replace(bad, name="folder", path=tmp_path)
    broken = LabelledSet("made", (*labelled.videos, bad, folder), (0.0, 5.0))
    with pytest.raises(AnnotationError, match="2 of 9 videos cannot be read:\n  bad: .*\n  folder: a folder of"):
        module(broken)
    monkeypatch.setattr(PairDataModule, "_place", lambda self: (0, 2))
    with pytest.raises(SettingsError, match="branch.loading.batch_size: got 3, expected a multiple of the 2"):
        module(labelled)
