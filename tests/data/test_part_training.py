import numpy as np
import pytest
import torch
from conftest import Make

from zoomvqa.data.datamodule import VideoDataModule
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.data.part_order import PartBatches
from zoomvqa.data.part_training import PartTraining
from zoomvqa.errors import AnnotationError, SettingsError
from zoomvqa.settings.branch import PartLoading
from zoomvqa.settings.iqa import FrameSampling, FrameView
from zoomvqa.settings.vqa import ClipSampling, ClipView
from zoomvqa.views import look_of

LOOK = look_of(FrameSampling(), FrameView(resize=64, crop=32))


@pytest.fixture
def labelled(make_video: Make) -> LabelledSet:
    pictures = ["testsrc2", "mandelbrot", "testsrc", "rgbtestsrc"]
    videos = [
        LabelledVideo(
            p, make_video(f"dm_{p}.mp4", frames=30, picture=p), float(i), p, "val" if i == 3 else "train"
        )
        for i, p in enumerate(pictures)
    ]
    return LabelledSet("made", tuple(videos), (0.0, 3.0))


def module(labelled: LabelledSet, **loading) -> VideoDataModule:
    settings = PartLoading(**({"batch_size": 4, "workers": 0} | loading))
    source = PartTraining("iqa", LOOK, settings, seed=1)
    data = VideoDataModule(labelled, {"iqa": LOOK}, source, settings.workers)
    data.prepare_data()
    data.setup("fit")
    return data


def batches(data: VideoDataModule) -> list:
    return [(b.inputs["iqa"], b.mos) for b in data.train_dataloader()]


def test_cached_frames(labelled, own_cache):
    data = module(labelled)
    assert len(list(own_cache.rglob("*.npy"))) == 3
    read = batches(data)
    assert sum(len(mos) for _, mos in read) == 3 * 4  # 30 frames at 25 fps: 0, 1, 11, 23
    assert read[0][0].shape == (4, 1, 1, 1, 3, 32, 32)


def test_second_run_uses_the_cache(labelled, own_cache, monkeypatch):
    module(labelled)

    def refuse(*_args, **_kwargs):
        raise AssertionError("decoded again")

    monkeypatch.setattr(PartTraining, "kept_frames", refuse)
    batches(module(labelled))


@pytest.mark.parametrize("workers", [0, 2])
def test_without_the_cache(labelled, own_cache, workers):
    data = module(labelled, cache=False, workers=workers)
    read = batches(data)
    assert not own_cache.exists()
    assert sorted(float(m) for _, mos in read for m in mos) == sorted([0.0, 1.0, 2.0] * 4)


def test_the_cache_changes_no_pixel(labelled, monkeypatch):
    class Free(PartBatches):
        """The same order, decoded instead of read."""

        def __init__(self, *args, **options) -> None:
            super().__init__(*args, **(options | {"grouped": False}))

    with_cache = batches(module(labelled))
    monkeypatch.setattr("zoomvqa.data.part_training.PartBatches", Free)
    for (a, x), (b, y) in zip(with_cache, batches(module(labelled, cache=False)), strict=True):
        assert torch.equal(a, b)
        assert torch.equal(x, y)


def test_workers_change_nothing(labelled):
    for (a, x), (b, y) in zip(batches(module(labelled)), batches(module(labelled, workers=2)), strict=True):
        assert torch.equal(a, b)
        assert torch.equal(x, y)


def test_full_cache_says_so_and_goes_on(labelled, capsys):
    data = module(labelled, cache_limit_gb=1e-4)
    assert "cache" in capsys.readouterr().err
    assert sum(len(mos) for _, mos in batches(data)) == 12


def test_validation_videos(labelled):
    (video,) = list(module(labelled).val_dataloader())
    assert video.inputs["iqa"].shape == (4, 1, 1, 3, 32, 32)
    assert (video.mos.item(), video.index.item()) == (3.0, 0)
    assert np.isfinite(video.inputs["iqa"].numpy()).all()


@pytest.mark.parametrize("cache", [True, False])
def test_unreadable_videos_are_all_listed(labelled, tmp_path, cache):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video" * 99)
    videos = [
        LabelledVideo(n, bad, 1.0, n, "train") if n in {"mandelbrot", "testsrc"} else v
        for v in labelled.videos
        for n in [v.name]
    ]
    with pytest.raises(AnnotationError, match=r"(?s)2 of [34] videos cannot be read.*mandelbrot.*testsrc"):
        module(LabelledSet("made", tuple(videos), (0, 3)), cache=cache)


def test_clips_are_not_trained_on_in_one_order():
    clips = look_of(ClipSampling(), ClipView())
    with pytest.raises(SettingsError, match=r"branch.loading.kind: got 'parts', expected 'videos'"):
        PartTraining("vqa", clips, PartLoading())
