import json
import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from fill import fill, unit_input

from zoomvqa.checkpoints import describe, load_checkpoint
from zoomvqa.checkpoints.files import read_file
from zoomvqa.errors import CheckpointError
from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.settings.iqa import FrameView, IQANetwork, iqa_branch
from zoomvqa.settings.vqa import ClipSampling, VQANetwork, vqa_branch

BRANCH = iqa_branch(
    network=IQANetwork(backbone="test_efficientnet", hidden=16), view=FrameView(resize=96, crop=64)
)
GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "iqa_network.json").read_text())


def ours(path: Path, **changes) -> Path:
    net = build_iqa_net(BRANCH.network, 64)
    state = {f"net.{k}": v for k, v in net.state_dict().items()}
    entry = describe(BRANCH, (0.0, 100.0), "made", {"seed": 0}) | {"figures": {"srcc": float("nan")}} | changes
    torch.save({"zoomvqa": entry, "state_dict": state, "optimizer_states": []}, path)
    return path


def test_there_and_back(tmp_path):
    checkpoint = load_checkpoint(ours(tmp_path / "a.ckpt"))
    assert checkpoint.source == "zoomvqa"
    assert checkpoint.description.view == BRANCH.view
    assert checkpoint.description.mos_range == (0.0, 100.0)
    net = checkpoint.build_net()
    assert not net.training
    assert torch.equal(net.state_dict()["head_score.0.weight"], checkpoint.weights["head_score.0.weight"])


def release_weights() -> dict[str, torch.Tensor]:
    return {key: fill(key, tuple(shape)) for key, shape in GOLDEN["keys"].items()}


@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_release_s_file_loads_as_it_is(tmp_path, prefix):
    path = tmp_path / "iqa_best_29epoch_checkpoint.pth.tar"
    weights = {prefix + k: v for k, v in release_weights().items()}
    torch.save({"epoch": 29, "arch": "cpnet_multi", "state_dict": weights, "score": 0.79}, path)
    checkpoint = load_checkpoint(path)
    assert checkpoint.source == "release"
    assert (checkpoint.description.view.resize, checkpoint.description.view.crop) == (512, 320)
    assert checkpoint.description.mos_range is None
    checkpoint.build_net()


def test_a_malicious_pickle_is_refused_and_does_nothing(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'pwned'}",)

    torch.save({"state_dict": {"a": torch.zeros(1)}, "extra": Evil()}, tmp_path / "evil.ckpt")
    with pytest.raises(CheckpointError, match="refused.*could run code"):
        load_checkpoint(tmp_path / "evil.ckpt")
    assert not (tmp_path / "pwned").exists()


def test_missing(tmp_path):
    with pytest.raises(CheckpointError, match="ckpt: no such file"):
        load_checkpoint(tmp_path / "no.ckpt")


def test_folder(tmp_path):
    with pytest.raises(CheckpointError, match="is a folder; expected a file such as .*best.ckpt"):
        load_checkpoint(tmp_path)


TEXTS = [b"", b"plain text, no checkpoint", b"PK\x03\x04 broken zip", b"quality", b"best model", b"s3://x", b"e"]


@pytest.mark.parametrize("content", TEXTS)
def test_damaged(tmp_path, content):
    path = tmp_path / "a.ckpt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged or not a checkpoint|refused"):
        load_checkpoint(path)


def test_any_bytes_end_in_a_refusal(tmp_path):
    draw = random.Random(0)
    good = ours(tmp_path / "good.ckpt").read_bytes()[:4000]
    path = tmp_path / "a.ckpt"
    for _ in range(300):
        data = bytearray(good[: draw.randrange(1, len(good))])
        for _ in range(draw.randrange(1, 20)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        path.write_bytes(bytes(data[draw.randrange(2) :]))
        with pytest.raises(CheckpointError):
            load_checkpoint(path)


def test_cut_short(tmp_path):
    path = ours(tmp_path / "a.ckpt")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(CheckpointError, match="damaged or not a checkpoint"):
        load_checkpoint(path)


def test_another_kind(tmp_path):
    torch.save(
        {"state_dict": {"layers.0.blocks.0.attn.relative_position_bias_table": torch.zeros(1)}}, tmp_path / "v"
    )
    with pytest.raises(CheckpointError, match="a Video Swin without a head for quality"):
        load_checkpoint(tmp_path / "v")
    torch.save({"fc.weight": torch.zeros(1)}, tmp_path / "x")
    with pytest.raises(CheckpointError, match=r"not a known kind of checkpoint \(it holds fc.weight\)"):
        load_checkpoint(tmp_path / "x")
    torch.save([1, 2], tmp_path / "l")
    with pytest.raises(CheckpointError, match="expected a dictionary in it, found list"):
        load_checkpoint(tmp_path / "l")


def test_newer_format(tmp_path):
    with pytest.raises(CheckpointError, match="format 4, written by zoomvqa.*which reads formats 1 to 3"):
        load_checkpoint(ours(tmp_path / "a.ckpt", format=4))


@pytest.mark.parametrize("before", [1, 2])
def test_formats_of_earlier_versions(tmp_path, before):
    """They did not say of what kind a branch is, and called branches by their names alone."""
    now = load_checkpoint(ours(tmp_path / "now.ckpt")).description
    raw = torch.load(ours(tmp_path / "a.ckpt"), weights_only=True)
    entry = raw["zoomvqa"] | {"format": before}
    for key in ("network", "sampling", "view"):
        del entry[key]["kind"]
    torch.save(raw | {"zoomvqa": entry}, tmp_path / "a.ckpt")
    assert load_checkpoint(tmp_path / "a.ckpt").description == now


def test_wrong_description(tmp_path):
    with pytest.raises(CheckpointError, match="description is wrong: branch: got 'X Z', expected the name of"):
        load_checkpoint(ours(tmp_path / "a.ckpt", branch="X Z"))
    network = {"kind": "of_a_plugin"}
    with pytest.raises(CheckpointError, match="branch.network.kind: got 'of_a_plugin', expected one of"):
        load_checkpoint(ours(tmp_path / "c.ckpt", network=network))
    with pytest.raises(CheckpointError, match="description is wrong: zoomvqa.unit"):
        load_checkpoint(ours(tmp_path / "b.ckpt", unit="xyz"))


def test_tensors_that_do_not_fit(tmp_path):
    weights = release_weights()
    del weights["head_score.3.bias"]
    weights["head_weight.3.bias"] = torch.zeros(7)
    weights["surplus"] = torch.zeros(1)
    torch.save({"state_dict": weights}, tmp_path / "a.pth")
    checkpoint = load_checkpoint(tmp_path / "a.pth")
    with pytest.raises(
        CheckpointError, match="1 missing .head_score.3.bias.*1 unexpected .surplus.*1 of another shape"
    ):
        checkpoint.build_net()


@pytest.mark.parametrize("odd", [torch.zeros(()), torch.zeros(2, 3, 2, 0, 0), torch.zeros(5)])
def test_public_files_of_odd_shapes(tmp_path, odd):
    table = "fragments_backbone.layers.0.blocks.0.attn.relative_position_bias_table"
    weights = {table: torch.zeros(5, 3), "vqa_head.fc_hid.weight": torch.zeros(1)}
    torch.save(weights | {"fragments_backbone.patch_embed.proj.weight": odd}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="its patch embedding or first bias table is missing"):
        load_checkpoint(tmp_path / "a.pth")


def test_a_network_that_cannot_be_made(tmp_path):
    network = {"kind": "patches", "backbone": "test_efficientnet", "hidden": 10**15}
    with pytest.raises(CheckpointError, match="the network that the checkpoint describes cannot be made"):
        load_checkpoint(ours(tmp_path / "a.ckpt", network=network)).build_net()


def test_figures_kept_as_numpy_numbers(tmp_path):
    """As FAST-VQA and Zoom-VQA save them beside their weights."""
    raw = {"state_dict": release_weights(), "validation_results": (np.float64(0.8), np.float32(0.7), np.int64(3))}
    torch.save(raw, tmp_path / "a.pth")
    assert load_checkpoint(tmp_path / "a.pth").source == "release"
    # And as the other NumPy names them: an uncompressed archive, so that one name can stand for the other.
    old, new = b"numpy._core.multiarray", b"numpy.core.multiarray"
    torch.save({"x": np.float64(0.5)}, tmp_path / "b.pth", _use_new_zipfile_serialization=False)
    blob = (tmp_path / "b.pth").read_bytes()
    one, other = (old, new) if old in blob else (new, old)
    assert one in blob
    (tmp_path / "b.pth").write_bytes(blob.replace(one, other))
    assert read_file(tmp_path / "b.pth") == {"x": 0.5}


def test_objects_of_numpy_are_refused(tmp_path):
    torch.save({"state_dict": {}, "x": np.array([object()], dtype=object)}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="refused"):
        load_checkpoint(tmp_path / "a.pth")


def test_weights_under_another_name(tmp_path):
    torch.save({"model": release_weights(), "epoch": 3}, tmp_path / "a.pth")
    assert load_checkpoint(tmp_path / "a.pth").source == "release"


def test_a_tensor_that_is_larger_than_what_is_stored_of_it(tmp_path):
    torch.save({"x": torch.ones(1).expand(10**5, 10**6)}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="x is no plain tensor"):
        load_checkpoint(tmp_path / "a.pth")


def fast_vqa_m(**settings) -> dict[str, torch.Tensor]:
    net = build_vqa_net(VQANetwork(backbone="fast_vqa_m", patch=4, **settings), 16, 128)
    return {key: fill(key, tuple(value.shape)) for key, value in net.state_dict().items()}


@torch.inference_mode()
def test_fast_vqa_m_has_the_scores_of_the_windows_that_it_was_trained_with(tmp_path):
    """Not of those that its public code has had since: −1.1959."""
    golden = json.loads((Path(__file__).parents[1] / "golden" / "fast_vqa_m.json").read_text())["network"]
    torch.save({"state_dict": fast_vqa_m(gated=False)}, tmp_path / "FAST_VQA_M_1_4.pth")
    net = load_checkpoint(tmp_path / "FAST_VQA_M_1_4.pth").build_net()
    clips = unit_input(golden["input"], tuple(golden["input_shape"]))
    features, scores = net.fragments_backbone(clips), net(clips)
    for got, wanted in ((features, golden["feature"]), (scores.map, golden["map"])):
        ends = torch.cat([got.flatten()[:4], got.flatten()[-4:]])
        torch.testing.assert_close(ends, torch.tensor(wanted["values"]), atol=1e-4, rtol=0)
    torch.testing.assert_close(scores.score, torch.tensor(golden["scores"]), atol=1e-4, rtol=0)


def described_m(path: Path, version: str, **network) -> str:
    """The backbone that a checkpoint of ours with narrow windows has when it is loaded."""
    branch = vqa_branch(network=VQANetwork(patch=4, **network), sampling=ClipSampling(clip_len=16))
    entry = describe(branch, None, None, {}) | {"version": version}
    torch.save({"zoomvqa": entry, "state_dict": {"net.a": torch.zeros(1)}}, path)
    return load_checkpoint(path).description.network.backbone


def test_what_we_have_trained_with_shrunk_windows_keeps_them(tmp_path, capsys):
    path = tmp_path / "a.ckpt"
    assert described_m(path, "1.0.0", backbone="swin_window4", gated=False) == "swin_window4"
    assert described_m(path, "1.0.0, converted from a.pth", backbone="swin_window4") == "swin_window4"
    torch.save({"state_dict": fast_vqa_m(gated=True)}, path)  # an export of such a one: the public M has no gating
    assert load_checkpoint(path).description.network.backbone == "swin_window4"
    assert capsys.readouterr().err == ""


def test_fast_vqa_m_that_was_converted_before_is_corrected(tmp_path, capsys):
    version = "1.0.0, converted from FAST_VQA_M_1_4.pth"
    assert described_m(tmp_path / "a.ckpt", version, backbone="swin_window4", gated=False) == "fast_vqa_m"
    assert "used with windows of 4×4×4, as it was trained" in capsys.readouterr().err
