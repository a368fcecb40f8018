import numpy as np
import pytest
import torch
from conftest import Make

from zoomvqa.data.frame_datamodule import FrameDataModule
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.errors import AnnotationError
from zoomvqa.settings.iqa import FrameLoading, FrameSampling, FrameView


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


def module(labelled: LabelledSet, **loading) -> FrameDataModule:
    data = FrameDataModule(
        labelled,
        FrameSampling(),
        FrameView(resize=64, crop=32),
        FrameLoading(**({"batch_size": 4, "workers": 0} | loading)),
        seed=1,
    )
    data.prepare_data()
    data.setup("fit")
    return data


def batches(data: FrameDataModule) -> list:
    return [(b.views, b.mos) for b in data.train_dataloader()]


def test_cached_frames(labelled, own_cache):
    data = module(labelled)
    assert len(list(own_cache.rglob("*.npy"))) == 3
    read = batches(data)
    assert sum(len(mos) for _, mos in read) == 3 * 4  # 30 frames at 25 fps: 0, 1, 11, 23
    assert read[0][0].shape == (4, 3, 32, 32)


def test_second_run_uses_the_cache(labelled, own_cache, monkeypatch):
    module(labelled)

    def refuse(*_args, **_kwargs):
        raise AssertionError("decoded again")

    monkeypatch.setattr("zoomvqa.data.frame_datamodule.training_frames", refuse)
    monkeypatch.setattr("zoomvqa.data.frame_dataset.training_frames", refuse)
    batches(module(labelled))


@pytest.mark.parametrize("workers", [0, 2])
def test_without_the_cache(labelled, own_cache, workers):
    data = module(labelled, cache=False, workers=workers)
    read = batches(data)
    assert not own_cache.exists()
    assert sorted(float(m) for _, mos in read for m in mos) == sorted([0.0, 1.0, 2.0] * 4)


def test_the_cache_changes_no_pixel(labelled):
    with_cache = module(labelled)
    grouped = module(labelled, cache=False)
    grouped._grouped = False  # the same order, decoded instead of read
    for (a, x), (b, y) in zip(batches(with_cache), batches(grouped), strict=True):
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
    assert video.views.shape == (4, 1, 3, 32, 32)
    assert (video.mos.item(), video.index.item()) == (3.0, 0)
    assert np.isfinite(video.views.numpy()).all()


@pytest.mark.parametrize("cache", [True, False])
def test_unreadable_videos_are_all_listed(labelled, tmp_path, cache):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video" * 99)
    videos = [
        LabelledVideo(n, bad, 1.0, n, "train") if n in {"mandelbrot", "testsrc"} else v
        for v in labelled.videos
        for n in [v.name]
    ]
    with pytest.raises(AnnotationError, match=r"(?s)2 of 3 videos cannot be read.*mandelbrot.*testsrc"):
        module(LabelledSet("made", tuple(videos), (0, 3)), cache=cache)
