"""Weights that training starts from."""

from pathlib import Path

import pytest
import timm
import torch
from torch.nn import functional

from zoomvqa.checkpoints import load_checkpoint, start_from
from zoomvqa.errors import CheckpointError
from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.models.vqa.net import VQANet
from zoomvqa.settings.iqa import IQANetwork
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


def test_second_bias_tables_start_at_zero_where_that_is_asked(tmp_path, capsys):
    """As through FAST-VQA's published training."""
    given, started = net(seed=1, gated=False), net(seed=2)
    weights = {k.replace("fragments_", ""): v for k, v in given.state_dict().items() if "head" not in k}
    path = saved(tmp_path / "k.pth", weights)
    start_from(started, path, fragment_bias="zero")
    block = started.fragments_backbone.layers[0].blocks[0].attn
    assert not block.fragment_position_bias_table.any()
    assert block.relative_position_bias_table.any()
    assert "2 second bias tables start at zero" in " ".join(capsys.readouterr().err.split())


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
        CheckpointError,
        match="does not fit the network: .* are missing or of another shape .*weights.strict=false",
    ):
        start_from(net(), path)
    with pytest.raises(CheckpointError, match="no such file"):
        start_from(net(), tmp_path / "none.pth")


def test_what_can_only_be_started_from_is_not_scored_with(tmp_path):
    weights = {k.replace("fragments_", ""): v for k, v in net().state_dict().items() if "head" not in k}
    with pytest.raises(CheckpointError, match="training can start from it .*weights="):
        load_checkpoint(saved(tmp_path / "k.pth", weights))


def test_small_windows_are_fast_vqa_m(tmp_path):
    weights = build_vqa_net(VQANetwork(backbone="swin_window4", gated=False, patch=4), 32, 128).state_dict()
    checkpoint = load_checkpoint(saved(tmp_path / "m.pth", weights))
    about = checkpoint.description
    assert (about.sampling.clip_len, about.view.grid, about.view.side, about.view.resize) == (16, 4, 32, -1)
    assert checkpoint.build_net()(torch.zeros(1, 3, 16, 128, 128)).map.shape == (1, 8, 4, 4)


def narrow(tmp_path, *, gated: bool) -> Path:
    settings = VQANetwork(backbone="fast_vqa_m", gated=gated, patch=4)
    return saved(tmp_path / "m.pth", build_vqa_net(settings, 16, 128).state_dict())


@pytest.mark.parametrize(("backbone", "shrinks"), [("swin_window4", True), ("fast_vqa_m", False)])
def test_a_start_from_fast_vqa_m_says_that_windows_shrink(tmp_path, capsys, backbone, shrinks):
    path = narrow(tmp_path, gated=False)
    start_from(build_vqa_net(VQANetwork(backbone=backbone, gated=False, patch=4), 16, 128), path)
    told = "trained with windows of 4×4×4, which branch.network.backbone=fast_vqa_m keeps"
    assert (told in capsys.readouterr().err) == shrinks


def test_a_start_from_an_export_of_ours_says_nothing_of_windows(tmp_path, capsys):
    start_from(build_vqa_net(VQANetwork(backbone="swin_window4", patch=4), 16, 128), narrow(tmp_path, gated=True))
    assert "4×4×4" not in capsys.readouterr().err


def test_our_own_averaged_weights_are_the_ones_taken(tmp_path):
    given, started = net(seed=1), net(seed=2)
    raw = {f"net.{k}": torch.zeros_like(v) for k, v in given.state_dict().items()}
    averaged = {f"averaged.module.{k}": v for k, v in given.state_dict().items()}
    start_from(started, saved(tmp_path / "a.ckpt", raw | averaged, zoomvqa={"weights": "averaged"}))
    assert all(torch.equal(v, given.state_dict()[k]) for k, v in started.state_dict().items())


def test_half_of_a_file_is_taken_when_that_is_wanted(tmp_path, capsys):
    given, started = net(seed=1), net(seed=2)
    weights = {k: v for k, v in given.state_dict().items() if "layers.1" not in k}
    weights["vqa_head.fc_hid.bias"] = torch.zeros(3)
    path = saved(tmp_path / "a.pth", weights)
    start_from(started, path, strict=False)
    told = " ".join(capsys.readouterr().err.split())
    assert "start fresh (fragments_backbone.layers.1" in told
    assert "1 of another shape start fresh (vqa_head.fc_hid.bias (3,) instead of" in told
    with pytest.raises(CheckpointError, match="weights.strict=false takes what fits"):
        start_from(net(), path)
    with pytest.raises(CheckpointError, match="does not fit the network"):
        start_from(net(), saved(tmp_path / "b.pth", {"x": torch.zeros(2)}), strict=False)


def iqa_net(seed: int, backbone: str = "test_convnext"):
    torch.manual_seed(seed)
    return build_iqa_net(IQANetwork(backbone=backbone, hidden=16), 64)


@pytest.mark.parametrize("backbone", ["test_convnext", "test_efficientnet"])
def test_a_frame_backbone_from_timm_s_file(tmp_path, capsys, backbone):
    whole, started = timm.create_model(backbone), iqa_net(2, backbone)
    start_from(started, saved(tmp_path / "t.pth", whole.state_dict()))
    wanted = timm.create_model(backbone, features_only=True)
    assert set(wanted.state_dict()) == set(started.backbone.state_dict())
    given = list(whole.state_dict().values())
    assert all(any(v is g or torch.equal(v, g) for g in given) for v in started.backbone.state_dict().values())
    assert "start fresh (head_score.0.weight" in " ".join(capsys.readouterr().err.split())


def test_a_part_of_a_head_is_a_mistake(tmp_path):
    weights = {k: v for k, v in iqa_net(1).state_dict().items() if "head_weight" not in k}
    path = saved(tmp_path / "a.pth", weights)
    with pytest.raises(CheckpointError, match="4 of .* tensors are missing or of another shape .head_weight"):
        start_from(iqa_net(2), path)
    start_from(iqa_net(2), path, strict=False)


def test_an_iqa_branch_from_our_own_file(tmp_path, capsys):
    given, started = iqa_net(1), iqa_net(2)
    start_from(
        started, saved(tmp_path / "a.ckpt", {f"net.{k}": v for k, v in given.state_dict().items()}, zoomvqa={})
    )
    assert all(torch.equal(v, given.state_dict()[k]) for k, v in started.state_dict().items())
    assert "start fresh" not in capsys.readouterr().err


def test_a_3d_convnext_from_2d_weights(tmp_path, capsys):
    flat = timm.create_model("convnext_tiny")
    started = build_vqa_net(VQANetwork(backbone="convnext3d_tiny", patch=4), 4, 64)
    start_from(started, saved(tmp_path / "t.pth", flat.state_dict()))
    kernel = started.fragments_backbone.stages[0].blocks[1].conv_dw.weight
    torch.testing.assert_close(kernel.sum(dim=2), flat.stages[0].blocks[1].conv_dw.weight)
    assert "2-D weights inflated" in " ".join(capsys.readouterr().err.split())
    with pytest.raises(CheckpointError, match="does not fit the network: 162 of the file have no place in it"):
        start_from(started, saved(tmp_path / "s.pth", timm.create_model("convnext_small").state_dict()))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.full((2,), torch.nan), "x holds values that are not finite"),
        (torch.zeros(2, 2).to_sparse(), "x is no plain tensor"),
        (torch.zeros(2, dtype=torch.complex64), "x is no plain tensor"),
    ],
)
def test_odd_tensors(tmp_path, value, message):
    for use in (load_checkpoint, lambda path: start_from(net(), path)):
        with pytest.raises(CheckpointError, match=message):
            use(saved(tmp_path / "a.pth", {"x": value}))
