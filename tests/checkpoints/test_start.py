"""Weights that training starts from."""

import pytest
import torch
from torch.nn import functional

from zoomvqa.checkpoints import load_checkpoint, start_from
from zoomvqa.errors import CheckpointError
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.models.vqa.net import VQANet
from zoomvqa.settings.vqa import VQANetwork


def net(patch: int = 4, seed: int = 0, **options) -> VQANet:
    torch.manual_seed(seed)
    made = build_vqa_net(VQANetwork(backbone="swin_nano", patch=patch, **options), 4, 16 * patch)
    for parameter in made.parameters():
        parameter.data.add_(0.02 * torch.randn_like(parameter))
    return made.eval()


def saved(path, weights, **extra):
    torch.save({"state_dict": weights, **extra}, path)
    return path


@pytest.mark.parametrize("prefix", ["", "module.", "net."])
def test_all_of_a_file_of_the_same_shape(tmp_path, capsys, prefix):
    given, started = net(seed=1), net(seed=2)
    weights = {prefix + k: v for k, v in given.state_dict().items()}
    weights[prefix + "fragments_backbone.layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(3, 3)
    start_from(started, saved(tmp_path / "a.pth", weights))
    for name, value in started.state_dict().items():
        assert torch.equal(value, given.state_dict()[name]), name
    count = len(given.state_dict())
    assert f"{count} of {count} tensors\n" in " ".join(capsys.readouterr().err.split()) + "\n"


def test_from_a_video_swin_without_gates_and_head(tmp_path, capsys):
    """As Kinetics weights are: `backbone.…`, another head, one bias table."""
    given, started = net(seed=1, gated=False), net(seed=2)
    head = {k: v.clone() for k, v in started.vqa_head.state_dict().items()}
    weights = {
        k.replace("fragments_backbone.", "backbone."): v for k, v in given.state_dict().items() if "head" not in k
    }
    start_from(started, saved(tmp_path / "k.pth", weights | {"cls_head.fc_cls.weight": torch.zeros(4, 2)}))
    block = started.fragments_backbone.layers[0].blocks[0].attn
    assert torch.equal(block.fragment_position_bias_table, block.relative_position_bias_table)
    assert all(torch.equal(v, head[k]) for k, v in started.vqa_head.state_dict().items())
    told = " ".join(capsys.readouterr().err.split())
    assert "second bias tables copied from the first" in told
    assert "4 start fresh (vqa_head" in told
    assert "1 of the file are not used" in told


@torch.inference_mode()
def test_patches_of_another_size_see_the_same(tmp_path, capsys):
    """A picture enlarged with its patches: the resampled embedding answers as the first did."""
    given, started = net(4, seed=1), net(6, seed=2)
    start_from(started, saved(tmp_path / "a.pth", given.state_dict()))
    assert "patch embedding resampled from 4 to 6 pixels" in " ".join(capsys.readouterr().err.split())
    small = torch.randn(1, 3, 4, 4, 4)
    large = functional.interpolate(small[0].transpose(0, 1), (6, 6), mode="bilinear").transpose(0, 1)[None]
    first, second = given.fragments_backbone.patch_embed.proj, started.fragments_backbone.patch_embed.proj
    zoomed = functional.interpolate(first.weight.flatten(1, 2), (6, 6), mode="bilinear").view_as(second.weight)
    wanted = first(small[:, :, :2])
    error = (second(large[:, :, :2]) - wanted).abs().mean()
    plain = (functional.conv3d(large[:, :, :2], zoomed, first.bias) - wanted).abs().mean()
    assert error < 1e-3 * plain


def test_a_file_that_does_not_fit(tmp_path):
    path = saved(tmp_path / "a.pth", build_vqa_net(VQANetwork(patch=4), 32, 224).state_dict())
    with pytest.raises(
        CheckpointError, match="does not fit the network: .* tensors are missing or of another shape"
    ):
        start_from(net(), path)
    with pytest.raises(CheckpointError, match="no such file"):
        start_from(net(), tmp_path / "none.pth")


def test_what_can_only_be_started_from_is_not_scored_with(tmp_path):
    weights = {k.replace("fragments_", ""): v for k, v in net().state_dict().items() if "head" not in k}
    with pytest.raises(CheckpointError, match="training can start from it .*branch.network.weights="):
        load_checkpoint(saved(tmp_path / "k.pth", weights))
    narrow = build_vqa_net(VQANetwork(backbone="swin_window4", gated=False, patch=4), 32, 128).state_dict()
    with pytest.raises(CheckpointError, match="a FAST-VQA-M file"):
        load_checkpoint(saved(tmp_path / "m.pth", narrow))
