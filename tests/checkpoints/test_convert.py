"""Checkpoints in each other's formats."""

import pytest
import timm
import torch

from zoomvqa.checkpoints import BranchDescription, describe, load_checkpoint, start_from
from zoomvqa.checkpoints.convert import convert
from zoomvqa.checkpoints.formats import look_into
from zoomvqa.errors import CheckpointError
from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.settings.iqa import FrameSampling, FrameView, IQANetwork, iqa_branch
from zoomvqa.settings.vqa import ClipView, VQANetwork, vqa_branch

SWIN = VQANetwork(backbone="swin_tiny", patch=4)


@pytest.fixture(scope="module")
def fast_vqa(tmp_path_factory):
    """A file as FAST-VQA's: its names, its index tables."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("fast") / "FAST.pth"
    weights = build_vqa_net(SWIN, 32, 224).state_dict()
    torch.save({"state_dict": weights}, path)
    convert(path, path.with_name("with_index.pth"), "release")
    return path.with_name("with_index.pth")


def tensors(path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["state_dict"]


def same(one, other) -> None:
    first, second = tensors(one), tensors(other)
    assert first.keys() == second.keys()
    assert all(torch.equal(v, second[k]) for k, v in first.items())


def test_the_release_s_index_tables(fast_vqa):
    index = tensors(fast_vqa)["fragments_backbone.layers.0.blocks.0.attn.relative_position_index"]
    assert (index.shape, index.dtype) == ((392, 392), torch.int64)
    places = torch.stack(torch.meshgrid(*map(torch.arange, (8, 7, 7)), indexing="ij")).flatten(1)
    apart = places[:, :, None] - places[:, None] + torch.tensor([7, 6, 6])[:, None, None]
    assert torch.equal(index, apart[0] * 169 + apart[1] * 13 + apart[2])


def test_fast_vqa_to_ours_and_back(fast_vqa, tmp_path):
    done = convert(fast_vqa, tmp_path / "ours.ckpt", "zoomvqa")
    assert done.notes == []
    checkpoint = load_checkpoint(tmp_path / "ours.ckpt")
    assert (checkpoint.source, checkpoint.description.network.patch) == ("zoomvqa", 4)
    assert checkpoint.description.view == load_checkpoint(fast_vqa).description.view
    convert(tmp_path / "ours.ckpt", tmp_path / "back.pth", "release")
    same(fast_vqa, tmp_path / "back.pth")


def test_video_swin_and_back(fast_vqa, tmp_path):
    done = convert(fast_vqa, tmp_path / "swin.pth", "video_swin")
    assert {n.split(".")[0] for n in tensors(tmp_path / "swin.pth")} == {"backbone"}
    assert any(n.startswith("14 tensors have no place in it") for n in done.notes)
    assert look_into(tmp_path / "swin.pth").kind == "swin"
    convert(tmp_path / "swin.pth", tmp_path / "again.pth", "release")
    convert(tmp_path / "again.pth", tmp_path / "back.pth", "video_swin")
    same(tmp_path / "swin.pth", tmp_path / "back.pth")
    with pytest.raises(CheckpointError, match="a Video Swin without a head"):
        convert(tmp_path / "swin.pth", tmp_path / "x.ckpt", "zoomvqa")


def iqa_file(path):
    branch = iqa_branch(network=IQANetwork(backbone="convnext_atto", hidden=16), view=FrameView(crop=64))
    net = build_iqa_net(branch.network, 64)
    entry = describe(branch, (0.0, 100.0), "made", {})
    torch.save({"zoomvqa": entry, "state_dict": {f"net.{k}": v for k, v in net.state_dict().items()}}, path)
    return net


def test_an_iqa_branch_to_timm_and_as_a_start(tmp_path):
    net = iqa_file(tmp_path / "a.ckpt")
    convert(tmp_path / "a.ckpt", tmp_path / "timm.pth", "timm")
    whole = timm.create_model("convnext_atto").state_dict()
    written = tensors(tmp_path / "timm.pth")
    assert set(written) <= set(whole)
    assert all(whole[k].shape == v.shape for k, v in written.items())
    started = build_iqa_net(IQANetwork(backbone="convnext_atto", hidden=16), 64)
    start_from(started, tmp_path / "timm.pth")
    assert all(torch.equal(v, net.backbone.state_dict()[k]) for k, v in started.backbone.state_dict().items())


def test_the_release_s_iqa_branch_to_ours_and_back(tmp_path):
    weights = build_iqa_net(IQANetwork(), 320).state_dict()
    torch.save({"state_dict": weights}, tmp_path / "a.pth")
    convert(tmp_path / "a.pth", tmp_path / "b.ckpt", "zoomvqa")
    assert load_checkpoint(tmp_path / "b.ckpt").source == "zoomvqa"
    done = convert(tmp_path / "b.ckpt", tmp_path / "c.pth", "release")
    assert "view and calibration have no place" in done.notes[0]
    same(tmp_path / "a.pth", tmp_path / "c.pth")


def test_ours_to_ours(tmp_path):
    iqa_file(tmp_path / "a.ckpt")
    convert(tmp_path / "a.ckpt", tmp_path / "c.ckpt", "zoomvqa")
    same(tmp_path / "a.ckpt", tmp_path / "c.ckpt")
    one, other = (load_checkpoint(tmp_path / n).description for n in ("a.ckpt", "c.ckpt"))
    assert one == other
    with pytest.raises(CheckpointError, match="format: the release has no network such as convnext_atto"):
        convert(tmp_path / "a.ckpt", tmp_path / "b", "release")
    with pytest.raises(CheckpointError, match="take: .* is no fused checkpoint"):
        convert(tmp_path / "a.ckpt", tmp_path / "b", "zoomvqa", take="iqa")
    raw = torch.load(tmp_path / "a.ckpt", weights_only=True)
    raw["state_dict"].popitem()
    torch.save(raw, tmp_path / "part.ckpt")
    with pytest.raises(CheckpointError, match="input: .* is not whole: 1 missing"):
        convert(tmp_path / "part.ckpt", tmp_path / "b", "zoomvqa")
    assert not (tmp_path / "b").exists()


def test_patches_of_another_size(fast_vqa, tmp_path):
    done = convert(fast_vqa, tmp_path / "six.ckpt", "zoomvqa", patch=6)
    assert "expects pictures 1.5 times as large" in done.notes[1]
    about = load_checkpoint(tmp_path / "six.ckpt").description
    assert (about.network.patch, about.view.side, about.view.resize) == (6, 48, -1)
    load_checkpoint(tmp_path / "six.ckpt").build_net()
    branch = vqa_branch(
        network=VQANetwork(backbone="swin_nano", patch=4), view=ClipView(side=16, grid=2, resize=64)
    )
    weights = {f"net.{k}": v for k, v in build_vqa_net(branch.network, 4, 32).state_dict().items()}
    line = {"unit": "mos", "calibration": {"low": 0.0, "high": 1.0, "centre": 0.0, "width": 1.0}}
    entry = describe(branch, (0.0, 1.0), None, {}) | line
    torch.save({"zoomvqa": entry, "state_dict": weights}, tmp_path / "n.ckpt")
    done = convert(tmp_path / "n.ckpt", tmp_path / "n8.ckpt", "zoomvqa", patch=8)
    assert "its calibration is left out" in done.notes
    about = load_checkpoint(tmp_path / "n8.ckpt").description
    assert (about.view.side, about.view.resize, about.unit, about.calibration) == (32, 128, "none", None)
    with pytest.raises(CheckpointError, match="the release has no network such as swin_nano"):
        convert(tmp_path / "n.ckpt", tmp_path / "b", "release")


@pytest.mark.parametrize(
    ("form", "patch", "message"),
    [
        ("video_swin", None, "is no Video Swin"),
        ("zoomvqa", 6, "patch: .* has no patch embedding"),
    ],
)
def test_what_cannot_be(tmp_path, form, patch, message):
    iqa_file(tmp_path / "a.ckpt")
    with pytest.raises(CheckpointError, match=message):
        convert(tmp_path / "a.ckpt", tmp_path / "b", form, patch)
    assert not (tmp_path / "b").exists()


def test_a_swin_has_no_timm_backbone(fast_vqa, tmp_path):
    with pytest.raises(CheckpointError, match="has no timm backbone"):
        convert(fast_vqa, tmp_path / "b", "timm")


def test_the_tag_of_its_first_weights_makes_no_other_network(tmp_path):
    """The release's backbone, trained from weights that were named by timm's tag, goes to the release's form."""
    from zoomvqa.checkpoints.convert import _refuse_unreadable

    entry = {"version": "0", "branch": "iqa", "unit": "mos", "sampling": FrameSampling(), "view": FrameView()}
    for name in ("convnext_tiny.fb_in1k", "convnext_tiny"):
        _refuse_unreadable(tmp_path, BranchDescription(**entry, network=IQANetwork(backbone=name)), {})
    with pytest.raises(CheckpointError, match="has no network such as convnext_small.fb_in1k"):
        other = IQANetwork(backbone="convnext_small.fb_in1k")
        _refuse_unreadable(tmp_path, BranchDescription(**entry, network=other), {})
