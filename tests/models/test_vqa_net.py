"""The VQA network against the release's numbers."""

import json
from pathlib import Path

import pytest
import torch
from fill import fill, unit_input

from zoomvqa.models.vqa.net import VQANet
from zoomvqa.models.vqa.swin import VideoSwin

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "vqa_network.json").read_text())
BACKBONES = {
    "vqa_tiny_patch6": {"patch": (2, 6, 6)},
    "vqa_tiny_patch4": {},
    "vqa_tiny_patch4_half_size": {},
    "vqa_tiny_patch4_not_gated": {"gated": False},
    "vqa_tiny_window4": {"window": (4, 4, 4), "gated": False},
    "vqa_small_patch4": {"depths": (2, 2, 18, 2)},
}
SMALL = {
    "channels": 24,
    "depths": (2, 2),
    "heads": (2, 4),
    "window": (4, 2, 2),
    "base": (8, 32, 32),
    "drop_path": 0.0,
}


def filled(**options) -> VQANet:
    net = VQANet(VideoSwin(**options)).eval()
    net.load_state_dict({key: fill(key, tuple(value.shape)) for key, value in net.state_dict().items()})
    return net


def test_names_and_size():
    net = VQANet(VideoSwin(patch=(2, 6, 6)))
    assert {k: list(v.shape) for k, v in net.state_dict().items()} == GOLDEN["keys"]
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(28.14, abs=0.005)


def test_every_golden_case_is_tested():
    assert set(BACKBONES) == set(GOLDEN["cases"])


@pytest.mark.slow
@pytest.mark.parametrize("case", BACKBONES)
@torch.inference_mode()
def test_features_and_scores_of_the_release(case):
    golden = GOLDEN["cases"][case]
    net = filled(**BACKBONES[case])
    clips = unit_input(golden["input"], tuple(golden["input_shape"]))
    features = net.fragments_backbone(clips)
    assert list(features.shape) == golden["feature_shape"]
    first = features[0, :8, 0, 0, 0]
    torch.testing.assert_close(first, torch.tensor(golden["feature_values"]), atol=1e-4, rtol=0)
    scores = torch.stack([net(clip[None]).score[0] for clip in clips])
    torch.testing.assert_close(scores, torch.tensor(golden["scores"]), atol=1e-3, rtol=0)


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("size", [(8, 32, 32), (8, 48, 40), (4, 16, 16), (7, 33, 30)])
def test_the_fast_form_is_the_plain_form(gated, size):
    """Padded, shrunk and odd inputs; forward and gradients."""
    torch.manual_seed(0)
    fast = VideoSwin(**SMALL, gated=gated)
    plain = VideoSwin(**SMALL, gated=gated, plain=True)
    for parameter in fast.parameters():
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    plain.load_state_dict(fast.state_dict())
    clips = torch.randn(2, 3, *size)
    one, other = fast(clips), plain(clips)
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    one.square().mean().backward()
    other.square().mean().backward()
    for (name, p), q in zip(fast.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, atol=1e-5, rtol=1e-4, msg=name)


def test_recomputing_changes_nothing():
    torch.manual_seed(0)
    kept, again = VideoSwin(**SMALL).train(), VideoSwin(**SMALL, recompute=True).train()
    again.load_state_dict(kept.state_dict())
    clips = torch.randn(1, 3, 8, 32, 32)
    for net in (kept, again):
        net(clips).square().mean().backward()
    for p, q in zip(kept.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad)


@torch.inference_mode()
def test_a_clip_scores_the_same_in_a_batch():
    net = VQANet(VideoSwin(**SMALL)).eval()
    clips = torch.randn(3, 3, 8, 32, 32)
    together = net(clips).score
    alone = torch.cat([net(clip[None]).score for clip in clips])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=0)


def test_too_small_for_its_windows():
    with pytest.raises(ValueError, match="too small for windows"):
        VideoSwin(**SMALL)(torch.randn(1, 3, 2, 8, 8))
