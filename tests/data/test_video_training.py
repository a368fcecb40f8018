"""Training on random clips of real small videos."""

from pathlib import Path

import pytest
import torch
from conftest import Make

from zoomvqa.data.datamodule import VideoDataModule
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.data.video_training import VideoTraining
from zoomvqa.errors import AnnotationError, SettingsError
from zoomvqa.settings.branch import VideoLoading
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.views import look_of

SAMPLING = ClipSampling(clip_len=4, frame_interval=2, train_clips=2, test_clips=3)
LOOKS = {"vqa": look_of(SAMPLING, ClipView(resize=-1, grid=2, side=16))}


@pytest.fixture
def labelled(make_video: Make) -> LabelledSet:
    videos = [
        LabelledVideo(f"v{i}", make_video(f"clips_{20 + i}.mp4", frames=20 + i), float(i), f"v{i}", split)
        for i, split in enumerate(["train"] * 5 + ["val"] * 2)
    ]
    return LabelledSet("made", tuple(videos), (0.0, 5.0))


def module(labelled: LabelledSet, seed: int = 0, **loading) -> VideoDataModule:
    settings = VideoLoading(**({"batch_size": 3, "workers": 0} | loading))
    made = VideoDataModule(labelled, LOOKS, VideoTraining(LOOKS, settings, seed=seed), settings.workers)
    made.prepare_data()
    made.setup("fit")
    return made


def test_batches(labelled):
    data = module(labelled)
    batches = list(data.train_dataloader())
    assert [tuple(b.inputs["vqa"].shape) for b in batches] == [(3, 2, 4, 32, 32, 3), (2, 2, 4, 32, 32, 3)]
    assert sorted(m for b in batches for m in b.mos.tolist()) == [0.0, 1.0, 2.0, 3.0, 4.0]
    whole = list(data.val_dataloader())
    assert [tuple(v.inputs["vqa"].shape) for v in whole] == [(3, 4, 32, 32, 3)] * 2
    assert [(int(v.index), float(v.mos)) for v in whole] == [(0, 5.0), (1, 6.0)]


@pytest.mark.slow
def test_workers_change_nothing(labelled):
    for variants in (0, 2):
        alone = list(module(labelled, variants=variants).train_dataloader())
        helped = list(module(labelled, variants=variants, workers=2).train_dataloader())
        assert all(torch.equal(a.inputs["vqa"], b.inputs["vqa"]) for a, b in zip(alone, helped, strict=True))


def test_variants_are_made_once_and_seen_once_an_epoch(labelled, tmp_path):
    folder = str(tmp_path / "kept")
    data = module(labelled, variants=3, cache_folder=folder)
    files = {f: f.stat().st_mtime_ns for f in Path(folder).rglob("*.npy")}
    assert len(files) == 5
    seen = torch.cat([b.inputs["vqa"] for b in data.train_dataloader()])
    assert len(seen) == 15
    assert len(torch.unique(seen.flatten(1), dim=0)) == 15
    again = torch.cat(
        [b.inputs["vqa"] for b in module(labelled, variants=3, cache_folder=folder).train_dataloader()]
    )
    assert torch.equal(seen, again)
    assert {f: f.stat().st_mtime_ns for f in Path(folder).rglob("*.npy")} == files
    module(labelled, variants=3, cache_folder=folder, seed=1)
    assert len(list(Path(folder).rglob("*.npy"))) == 10


def test_a_full_cache_decodes_the_rest(labelled, tmp_path, capsys):
    data = module(labelled, variants=2, cache_folder=str(tmp_path / "kept"), cache_limit_gb=1e-4)
    assert "videos are decoded again in every epoch" in capsys.readouterr().err
    assert len(torch.cat([b.inputs["vqa"] for b in data.train_dataloader()])) == 10


def test_unreadable_videos_are_listed(labelled, tmp_path):
    bad = [LabelledVideo(f"bad{i}", tmp_path / f"bad{i}.mp4", 1.0, "b", "train") for i in range(2)]
    for video in bad:
        video.path.write_text("no video")
    broken = LabelledSet("made", (*labelled.videos, *bad), (0.0, 5.0))
    for variants in (0, 2):
        with pytest.raises(AnnotationError, match="2 of .* videos cannot be read:\n  bad0: .*\n  bad1: "):
            module(broken, variants=variants)


def test_frames_that_are_too_narrow_are_found_before_training(labelled, make_video):
    path = make_video("strip_16x1024.mp4", size="16x1024", frames=4)
    strip = LabelledVideo("strip", path, 1.0, "s", "train")
    looks = {"vqa": look_of(SAMPLING, ClipView())}
    source = VideoTraining(looks, VideoLoading(workers=0))
    made = VideoDataModule(LabelledSet("made", (*labelled.videos, strip), (0.0, 5.0)), looks, source, 0)
    with pytest.raises(AnnotationError, match="strip: the frame's shape, 16×1024 pixels, is too narrow"):
        made.setup("fit")


def test_a_batch_that_does_not_divide(labelled, monkeypatch):
    monkeypatch.setattr(VideoDataModule, "_place", lambda self: (0, 2))
    with pytest.raises(
        SettingsError, match="branch.loading.batch_size: got 3, expected a multiple of the 2 processes"
    ):
        module(labelled)
