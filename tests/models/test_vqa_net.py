"""The VQA network against the release's numbers."""

import copy
import json
from pathlib import Path

import pytest
import torch
from fill import fill, unit_input

from zoomvqa.models.vqa.attend import _in_large_calls, attend_parts
from zoomvqa.models.vqa.net import VQANet
from zoomvqa.models.vqa.plain import PlainVideoSwin
from zoomvqa.models.vqa.swin import VideoSwin
from zoomvqa.models.vqa.windows import pieces, window_plan

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


def small(**options) -> VideoSwin:
    """A network whose bias tables say something."""
    torch.manual_seed(0)
    net = VideoSwin(**(SMALL | options))
    for parameter in net.parameters():
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    return net


SHAPES = [(8, 32, 32), (8, 48, 40), (4, 16, 16), (7, 33, 30), (16, 64, 64)]


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("size", SHAPES)
@pytest.mark.parametrize("window", [(4, 2, 2), (3, 7, 5)])
def test_the_fast_form_is_the_plain_form(gated, size, window):
    """Padded, shrunk and odd inputs; forward and gradients."""
    fast = small(gated=gated, window=window)
    plain = PlainVideoSwin(copy.deepcopy(fast))
    clips = torch.randn(2, 3, *size)
    one, other = fast(clips), plain(clips)
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    weight = torch.randn_like(one)
    (one * weight).mean().backward()
    (other * weight).mean().backward()
    for (name, p), q in zip(fast.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, atol=1e-5, rtol=1e-4, msg=name)


@pytest.mark.parametrize("size", SHAPES)
@torch.inference_mode()
def test_without_gradients_it_is_the_same(size):
    fast = small().eval()
    clips = torch.randn(2, 3, *size)
    given = clips.clone()
    torch.testing.assert_close(fast(clips), PlainVideoSwin(fast)(clips), atol=1e-5, rtol=1e-5)
    assert torch.equal(clips, given)


@torch.inference_mode()
def test_changed_tables_are_noticed():
    net = small().eval()
    clips = torch.randn(1, 3, 8, 32, 32)
    before = net(clips)
    other = {k: v + 0.1 * torch.randn_like(v) if "table" in k else v for k, v in net.state_dict().items()}
    net.load_state_dict(other)
    assert not torch.allclose(net(clips), before)
    torch.testing.assert_close(net(clips), PlainVideoSwin(net)(clips), atol=1e-5, rtol=1e-5)
    half = net(clips.bfloat16()) if net.bfloat16() else None
    assert half.dtype == torch.bfloat16


@pytest.mark.parametrize("frames", [4, 8, 12])
def test_a_shift_by_more_than_there_is(frames):
    net = small(window=(8, 4, 4), base=(32, 32, 32)).eval()
    clips = torch.randn(1, 3, frames, 24, 16)
    torch.testing.assert_close(net(clips), PlainVideoSwin(net)(clips), atol=1e-5, rtol=1e-5)
    with torch.inference_mode():
        torch.testing.assert_close(net(clips), PlainVideoSwin(net)(clips), atol=1e-5, rtol=1e-5)


def test_training_after_scoring():
    net, clips = small(), torch.randn(1, 3, 12, 40, 24)
    with torch.inference_mode():
        before = net.eval()(clips)
    after = net.train()(clips)
    after.mean().backward()
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-5)


def test_frozen_tables_and_no_gradient_for_the_input():
    net = small()
    net.layers[0].blocks[0].attn.relative_position_bias_table.requires_grad_(requires_grad=False)
    clips = torch.randn(1, 3, 8, 32, 32, requires_grad=True)
    net(clips).square().mean().backward()
    plain = PlainVideoSwin(small())
    again = clips.detach().clone().requires_grad_()
    plain(again).square().mean().backward()
    torch.testing.assert_close(clips.grad, again.grad, atol=1e-6, rtol=1e-4)
    assert net.layers[0].blocks[0].attn.relative_position_bias_table.grad is None


@pytest.mark.parametrize("train", [False, True])
def test_bfloat16_is_near(train):
    net = small()
    clips = torch.randn(1, 3, 8, 48, 40)
    exact = PlainVideoSwin(copy.deepcopy(net))(clips)
    with torch.set_grad_enabled(train), torch.autocast("cpu", torch.bfloat16):
        rough = net.train(train)(clips)
    assert (rough.float() - exact).abs().max() < 0.1
    assert (rough.float() - exact).abs().mean() < 0.01
    if train:
        rough.float().square().mean().backward()
        exact.square().mean().backward()
        twin = PlainVideoSwin(small())
        twin(clips).square().mean().backward()
        got = torch.cat([p.grad.flatten() for p in net.parameters()])
        wanted = torch.cat([p.grad.flatten() for p in twin.parameters()])
        assert torch.nn.functional.cosine_similarity(got, wanted, dim=0) > 0.999


@pytest.mark.parametrize("tokens", [1, 17, 100, 10_000])
def test_pieces_are_whole_parts_in_the_order_of_the_plan(tokens):
    plan = window_plan((8, 9, 10), (4, 3, 3), (2, 1, 1), torch.device("cpu"))
    at, seen = 0, []
    for piece in pieces(plan, tokens):
        assert piece.places.start == at
        at = piece.places.stop
        inside = 0
        for group, places in piece.parts:
            assert places.start == inside
            inside = places.stop
            count, rest = divmod(places.stop - places.start, group.tokens)
            assert rest == 0
            seen += [group.start] * count
        assert inside == piece.places.stop - piece.places.start
        assert inside <= tokens or (len(piece.parts) == 1 and inside == piece.parts[0][0].tokens)
    assert at == len(plan.gather)
    assert seen == [group.start for group in plan.groups for _ in range(group.parts)]


def test_the_calls_for_a_gpu_give_the_same():
    """The code path of other devices, run on the CPU."""
    net = small()
    block, clips = net.layers[0].blocks[1].attn, torch.randn(2, 3, 8, 48, 40)
    x, shape, _ = net.patch_embed(clips)
    plan = window_plan(shape, (4, 2, 2), net.layers[0].blocks[1].shift, x.device)
    assert len({group.size for group in plan.groups}) > 1
    tokens = x.index_select(1, plan.gather)
    qkv = block.qkv(tokens).unflatten(-1, (3, block.heads, -1))
    biases = block.biases(plan, torch.float32)
    mixed = attend_parts(qkv, biases, [(group, group.places) for group in plan.groups])
    torch.testing.assert_close(_in_large_calls(qkv, biases, plan), mixed, atol=1e-5, rtol=1e-5)


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


@pytest.mark.parametrize("size", SHAPES)
@torch.inference_mode()
def test_slices_of_a_clip_are_the_clip(size):
    net, clips = VQANet(small()).eval(), torch.randn(2, 3, *size)
    whole = net(clips).score
    for frames in (2, 4, size[0] + 1):
        assert torch.equal(net(part for part in clips.split(frames, dim=2)).score, whole)


@torch.inference_mode()
def test_slices_end_with_a_patch():
    clips = torch.randn(1, 3, 8, 32, 32)
    with pytest.raises(ValueError, match="slices of a clip: expected multiples of 2 frames"):
        small().eval()(clips.split(3, dim=2))
