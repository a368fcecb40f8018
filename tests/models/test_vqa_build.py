"""The factory of VQA networks, and the ConvNeXt family behind it."""

import pytest
import timm
import torch

from zoomvqa.errors import SettingsError
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.models.vqa.convnext3d import ConvNeXt3D, convnext3d, inflate
from zoomvqa.models.vqa.dct import dct_filters
from zoomvqa.settings.vqa import VQANetwork


@pytest.mark.parametrize(
    ("backbone", "millions"),
    [
        ("swin_tiny", 28.14),
        ("swin_small", 49.9),
        ("swin_window4", 27.6),
        ("fast_vqa_m", 27.6),
        ("swin_nano", 0.148),
        ("convnext3d_tiny", 28.1),
    ],
)
def test_sizes(backbone, millions):
    net = build_vqa_net(VQANetwork(backbone=backbone, patch=6), 32, 336)
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(millions, rel=0.03)


@pytest.mark.parametrize(
    ("settings", "frames", "size", "message"),
    [
        ({"patch": 6}, 32, 40, "branch.view: pictures of 40 pixels .* at least 48"),
        ({}, 3, 336, "branch.sampling.clip_len: an input of .* is too small"),
        ({"backbone": "swin_window4"}, 32, 72, "branch.view: an input of .* is too small"),
    ],
)
def test_what_cannot_be(settings, frames, size, message):
    with pytest.raises(SettingsError, match=message):
        build_vqa_net(VQANetwork(**settings), frames, size)


def test_a_swin_has_no_imagenet_weights():
    with pytest.raises(SettingsError, match="weights: got 'imagenet', expected none, a name or a file"):
        build_vqa_net(VQANetwork(), 32, 336, "imagenet")


@torch.inference_mode()
def test_any_patch_and_size():
    for patch, frames, size in ((5, 8, 80), (4, 4, 64), (8, 6, 128)):
        net = build_vqa_net(VQANetwork(backbone="swin_nano", patch=patch), frames, size).eval()
        scores = net(torch.randn(2, 3, frames, size, size))
        assert scores.score.shape == (2,)
        torch.testing.assert_close(scores.map.flatten(1).mean(1), scores.score)


def flat_convnext() -> torch.nn.Module:
    torch.manual_seed(0)
    flat = timm.create_model("convnext_tiny", depths=(1, 2, 2, 1), dims=(16, 24, 32, 48), num_classes=0).eval()
    for name, parameter in flat.named_parameters():
        if name.endswith("gamma"):
            parameter.data.uniform_(0.5, 1.0)
    return flat


@torch.inference_mode()
def test_a_still_video_has_the_features_of_its_picture():
    flat = flat_convnext()
    net = ConvNeXt3D((16, 24, 32, 48), (1, 2, 2, 1), drop_path=0.0).eval()
    net.load_state_dict(inflate(flat.state_dict(), net.state_dict()))
    picture = torch.randn(2, 3, 96, 96)
    wanted = flat.head.norm(flat.forward_features(picture))
    for frames in (8, 5, 1):
        got = net(picture[:, :, None].expand(-1, -1, frames, -1, -1))
        assert got.shape[2] == (frames + 1) // 2
        torch.testing.assert_close(got, wanted[:, :, None].expand_as(got), atol=1e-4, rtol=1e-4)
    moving = net(torch.randn(1, 3, 8, 96, 96))
    assert moving.std(dim=2).max() > 1e-3


def test_the_network_of_timm_s_shape_trains():
    net = convnext3d("convnext_tiny", 6, 0.1, pretrained=False)
    assert net.stem[0].weight.shape == (96, 3, 2, 6, 6)
    assert [stage.blocks[i].times for stage in net.stages for i in range(3)] == [1, 3, 1] * 4
    net(torch.randn(1, 3, 4, 48, 48)).mean().backward()
    assert net.stem[0].weight.grad.abs().sum() > 0


def test_weights_of_imagenet_are_inflated(monkeypatch):
    flat = timm.create_model("convnext_tiny")
    asked = []

    def create(name, *, pretrained):
        asked.append((name, pretrained))
        return flat

    monkeypatch.setattr("timm.create_model", create)
    net = convnext3d("convnext_tiny", 4, 0.1, pretrained=True)
    assert asked == [("convnext_tiny.fb_in1k", True)]  # ImageNet-1k's, as in FAST-VQA
    assert torch.equal(net.stages[1].blocks[0].mlp.fc1.weight, flat.stages[1].blocks[0].mlp.fc1.weight)
    torch.testing.assert_close(net.stem[0].weight.sum(dim=2), flat.stem[0].weight)


def test_cosine_filters_tell_detail_from_brightness():
    filters = dct_filters(2, 4)
    assert filters.shape == (32, 3, 2, 4, 4)
    assert torch.equal(dct_filters(2, 4, 7), filters[:7])
    flat = torch.ones(3, 2, 4, 4)
    answer = (filters * flat).sum(dim=(1, 2, 3, 4))
    assert answer[0] == pytest.approx(1.0)
    assert answer[1:].abs().max() < 1e-5
    apart = filters.flatten(1) @ filters.flatten(1).t()
    torch.testing.assert_close(apart, torch.diag(torch.diag(apart)), atol=1e-4, rtol=0)


@torch.inference_mode()
def test_slices_of_a_clip_are_the_clip():
    net, clips = ConvNeXt3D((16, 24, 32, 48), (1, 2, 2, 1)).eval(), torch.randn(1, 3, 7, 64, 64)
    assert torch.equal(net(clips.split(2, dim=2)), net(clips))
