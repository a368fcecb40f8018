import json
from pathlib import Path

import pytest
import torch
from fill import fill, unit_input

from zoomvqa.errors import SettingsError
from zoomvqa.models.base import score_video
from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.settings.iqa import FrameSampling, FrameView, IQANetwork
from zoomvqa.views import PartTaker, look_of
from zoomvqa.views.decoding import one_pass
from zoomvqa.views.store import open_store

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "iqa_network.json").read_text())
TINY = IQANetwork(backbone="test_efficientnet", hidden=16)
LOOK = look_of(FrameSampling(), FrameView())


def score_views(net, views, together=8):
    """The score of each frame of (frames, crops, 3, crop, crop) views."""
    return score_video(net, views[:, None], LOOK.view.to_network, together)


@pytest.fixture(scope="module")
def release():
    net = build_iqa_net(IQANetwork(), 320)
    net.load_state_dict({key: fill(key, tuple(shape)) for key, shape in GOLDEN["keys"].items()}, strict=True)
    return net.eval()


def test_size_and_names(release):
    assert sum(p.numel() for p in release.parameters()) / 1e6 == pytest.approx(28.93, abs=0.005)
    assert {k: list(v.shape) for k, v in release.state_dict().items()} == GOLDEN["keys"]


@torch.inference_mode()
def test_aligned_pyramid_and_scores_of_the_release(release):
    views = unit_input(GOLDEN["input"], tuple(GOLDEN["input_shape"]))
    aligned = release.features(views)
    assert list(aligned.shape) == GOLDEN["aligned_shape"]
    expected = torch.tensor(GOLDEN["aligned_values"])
    values = aligned.contiguous().flatten()[::18_000][: len(expected)]
    torch.testing.assert_close(values, expected, atol=1e-4, rtol=1e-4)
    scores = release(views)
    torch.testing.assert_close(scores.score, torch.tensor(GOLDEN["scores"]), atol=1e-4, rtol=0)
    assert scores.patch_score.shape == scores.patch_weight.shape == (2, 10, 10)
    assert scores.patch_score.min() >= 0
    assert 0 <= scores.patch_weight.min() <= scores.patch_weight.max() <= 1


@pytest.mark.slow
def test_frame_scores_of_the_reference_video(release, reference):
    golden = json.loads((reference / "golden.json").read_text())["videos"]["10053703034.mp4"]["iqa"]
    video = reference / "media" / "10053703034.mp4"
    store = open_store(video)
    taker = PartTaker(LOOK, store, whole=True)
    assert taker.indices[:, 0].tolist() == golden["frame_indices_2fps"]
    one_pass(store, [taker])
    views = torch.from_numpy(taker.parts())[:, 0]
    assert views.mean().item() == pytest.approx(golden["input_mean"], abs=1e-4)
    with torch.inference_mode():
        scores = score_views(release, views)
    torch.testing.assert_close(scores, torch.tensor(golden["frame_scores"]), atol=1e-3, rtol=0)
    assert scores.mean().item() == pytest.approx(golden["video_score"], abs=1e-3)


@pytest.mark.parametrize(
    ("backbone", "crop", "grid"),
    [
        ("test_efficientnet", 64, 2),
        ("test_resnet", 96, 3),
        ("test_convnext", 64, 2),
        ("mobilenetv3_small_050", 96, 3),
    ],
)
def test_any_backbone(backbone, crop, grid):
    net = build_iqa_net(IQANetwork(backbone=backbone), crop).eval()
    with torch.inference_mode():
        scores = net(torch.randn(2, 3, crop, crop))
    assert net.grid == grid
    assert scores.score.shape == (2,)
    assert scores.patch_score.shape == (2, grid, grid)


def test_backbones_with_the_channels_last():
    network = IQANetwork(backbone="swin_tiny_patch4_window7_224", drop_path=0.0, hidden=16)
    assert build_iqa_net(network, 224).features(torch.zeros(1, 3, 224, 224)).shape == (1, 1440, 7, 7)


def test_a_backbone_of_one_size_says_so():
    network = IQANetwork(backbone="vit_tiny_patch16_224", drop_path=0.0)
    with pytest.raises(SettingsError, match="'vit_tiny_patch16_224' does not take crops of 96 pixels"):
        build_iqa_net(network, 96)


def test_averages_are_in_float32():
    net = build_iqa_net(TINY, 64).eval()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert net(torch.randn(2, 3, 64, 64)).score.dtype == torch.float32


@torch.inference_mode()
def test_score_is_the_weighted_mean_of_the_patches():
    net = build_iqa_net(TINY, 64).eval()
    scores = net(torch.randn(3, 3, 64, 64))
    mean = (scores.patch_score * scores.patch_weight).sum((1, 2)) / scores.patch_weight.sum((1, 2))
    torch.testing.assert_close(scores.score, mean)


@torch.inference_mode()
def test_a_frame_scores_the_same_in_every_company():
    net = build_iqa_net(TINY, 64).eval()
    views = torch.randn(11, 1, 3, 64, 64)
    whole = score_views(net, views, 4)
    streamed = torch.cat([score_views(net, piece, 4) for piece in views.split(4)])
    assert torch.equal(whole, streamed)


@torch.inference_mode()
def test_crops_are_averaged():
    net = build_iqa_net(TINY, 64).eval()
    views = torch.randn(2, 5, 3, 64, 64)
    single = net(views.flatten(0, 1)).score.view(2, 5).mean(dim=1)
    torch.testing.assert_close(score_views(net, views), single)
