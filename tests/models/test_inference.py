"""Networks made ready for scoring say the same within bfloat16, whatever else is scored."""

import copy
import shutil
from pathlib import Path

import pytest
import timm
import torch
from torch import nn
from torch.nn import functional
from torch.utils import cpp_extension

from zoomvqa.errors import SettingsError, ToolError
from zoomvqa.models.inference import prepare_for_scoring
from zoomvqa.models.iqa.net import IQANet, build_iqa_net
from zoomvqa.models.packed import PackedLinear
from zoomvqa.models.vqa import compiled
from zoomvqa.models.vqa.attention import compile_attention
from zoomvqa.models.vqa.compiled import (
    build_attention,
)
from zoomvqa.models.vqa.net import VQANet
from zoomvqa.models.vqa.plain import PlainVideoSwin
from zoomvqa.models.vqa.swin import VideoSwin
from zoomvqa.settings.iqa import IQANetwork

bf16 = pytest.mark.skipif(not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="a CPU without bfloat16")
builds = pytest.mark.skipif(
    shutil.which("c++") is None or not cpp_extension.is_ninja_available(), reason="no C++ compiler or no ninja"
)


def small(*, gated: bool = True, channels: int = 32) -> VideoSwin:
    torch.manual_seed(0)
    shape = {"depths": (2, 2), "heads": (2, 4), "window": (4, 2, 2), "base": (8, 32, 32)}
    net = VideoSwin(channels=channels, drop_path=0.0, gated=gated, **shape)
    for parameter in net.parameters():
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    return net.eval()


def features(net: nn.Module, clips: torch.Tensor, *, half: bool = True) -> torch.Tensor:
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
        return net(clips).float()


@pytest.mark.parametrize("dtype", [pytest.param(torch.bfloat16, marks=bf16), torch.float32])
@pytest.mark.parametrize("gelu", [False, True])
def test_a_packed_layer_is_the_layer(gelu, dtype):
    torch.manual_seed(0)
    layer, x = nn.Linear(48, 80).to(dtype), torch.randn(3, 50, 48).to(dtype)
    with torch.inference_mode():
        exact = functional.linear(x.float(), layer.weight.float(), layer.bias.float())
        got = PackedLinear(layer, dtype, gelu=gelu)(x)
    wanted = functional.gelu(exact) if gelu else exact
    assert got.dtype == dtype
    # Half of the last place of bfloat16, and what the order of a float32 sum may change.
    torch.testing.assert_close(got.float(), wanted, atol=1e-5, rtol=2**-8 if dtype == torch.bfloat16 else 1e-5)


@bf16
@pytest.mark.parametrize("size", [(8, 32, 32), (8, 48, 40), (7, 33, 30)])
def test_a_prepared_backbone_is_as_near_as_autocast(size):
    net, clips = small(), torch.randn(2, 3, *size)
    exact = PlainVideoSwin(net)(clips).detach()
    usual = (features(net, clips) - exact).abs()
    ready = prepare_for_scoring(copy.deepcopy(net), "bf16-mixed")
    assert not any(isinstance(layer, nn.Linear) for layer in ready.modules())
    apart = (features(ready, clips) - exact).abs()
    assert apart.mean() < 1.2 * usual.mean()
    assert apart.max() < 1.5 * usual.max()


@bf16
def test_the_same_bits_whatever_else_is_scored():
    net, clips = VQANet(small()), torch.randn(3, 3, 8, 48, 40)

    def scores(order: list[int]) -> dict[int, float]:
        ready = prepare_for_scoring(copy.deepcopy(net), "bf16-mixed")
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            return {at: float(ready(clips[at][None]).score) for at in order}

    assert scores([0, 1, 2]) == scores([2, 1, 0])


@bf16
def test_the_iqa_network():
    net = build_iqa_net(IQANetwork(backbone="convnext_tiny"), 64).eval()
    views = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        exact = net(views).score
    ready = prepare_for_scoring(net, "bf16-mixed")
    assert any(isinstance(layer, PackedLinear) for layer in ready.backbone.modules())
    assert not any(type(layer).__name__ == "GELU" for layer in ready.modules())  # part of the layers before
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(ready(views).score, exact, atol=2e-2, rtol=2e-2)


@torch.inference_mode()
def test_in_float32_the_last_bits_change_at_most():
    net, clips = small(), torch.randn(1, 3, 8, 32, 32)
    before = net(clips)
    ready = prepare_for_scoring(net.train())
    assert any(isinstance(layer, PackedLinear) for layer in ready.modules())
    assert not ready.training
    torch.testing.assert_close(ready(clips), before, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_without_onednn_nothing_changes(monkeypatch):
    net, clips = small(), torch.randn(1, 3, 8, 32, 32)
    before = net(clips)
    monkeypatch.setattr("torch.backends.mkldnn.is_available", lambda: False)
    assert torch.equal(prepare_for_scoring(net)(clips), before)


def test_a_gelu_of_timm_is_part_of_the_layer_before_it():
    net, views = IQANet(timm.create_model("convnext_tiny", features_only=True), 2).eval(), torch.rand(1, 3, 64, 64)
    assert any(isinstance(layer, timm.layers.GELU) for layer in net.modules())
    with torch.inference_mode():
        before = net(views).patch_score
        ready = prepare_for_scoring(net)
        assert not any(isinstance(layer, timm.layers.GELU) for layer in ready.modules())
        torch.testing.assert_close(ready(views).patch_score, before, atol=1e-5, rtol=1e-5)


def test_compile_is_for_what_is_compiled():
    with pytest.raises(
        SettingsError,
        match=r"^compile: got true with precision=16-mixed on cpu, expected 32-true or bf16-mixed on cpu",
    ):
        prepare_for_scoring(small(), "16-mixed", compile=True)


@pytest.fixture
def not_built(monkeypatch):
    """Whatever another test has loaded into this process."""
    monkeypatch.setattr(compiled, "_is_loaded", lambda: False)


@pytest.mark.usefixtures("not_built")
def test_without_a_compiler(monkeypatch):
    monkeypatch.setattr(cpp_extension, "get_cxx_compiler", lambda: "no-such-compiler")
    with pytest.raises(ToolError, match=r"^compile=true: there is no C\+\+ compiler \('no-such-compiler'\)"):
        prepare_for_scoring(small(), "bf16-mixed", compile=True)


@pytest.mark.usefixtures("not_built")
def test_without_ninja(monkeypatch):
    monkeypatch.setattr(cpp_extension, "get_cxx_compiler", lambda: "python3")
    monkeypatch.setattr(cpp_extension, "is_ninja_available", lambda: False)
    with pytest.raises(ToolError, match=r"^compile=true: there is no ninja on the PATH; `pip install ninja`"):
        prepare_for_scoring(small(), "bf16-mixed", compile=True)


@pytest.mark.usefixtures("not_built")
def test_a_compiler_that_refuses(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("Error building extension\nattention.cpp:1: error: no such header")

    monkeypatch.setattr(cpp_extension, "get_cxx_compiler", lambda: "python3")
    monkeypatch.setattr(cpp_extension, "is_ninja_available", lambda: True)
    monkeypatch.setattr(cpp_extension, "load", refuse)
    with pytest.raises(ToolError, match=r"could not build .*native \(.*no such header\)"):
        prepare_for_scoring(small(), "bf16-mixed", compile=True)


@pytest.mark.usefixtures("not_built")
def test_a_build_that_was_killed_is_no_hindrance(monkeypatch, tmp_path):
    """Torch would wait for the end of it for ever."""
    asked = []

    def load(*_: object, build_directory: str, **__: object) -> None:
        asked.append(build_directory)
        assert not (Path(build_directory) / "lock").exists()
        (Path(build_directory) / "lock").touch()

    monkeypatch.setattr(cpp_extension, "get_cxx_compiler", lambda: "python3")
    monkeypatch.setattr(cpp_extension, "is_ninja_available", lambda: True)
    monkeypatch.setattr(cpp_extension, "load", load)
    for _ in range(2):
        build_attention()
    assert len(set(asked)) == 1
    assert Path(asked[0]).is_relative_to(tmp_path)


@builds
@pytest.mark.slow
@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("half", [False, pytest.param(True, marks=bf16)])
def test_a_compiled_backbone_has_the_gradients_of_the_plain_one(gated, half):
    """Over several windows, shifted and padded ones among them, and two clips."""
    net, clips = small(gated=gated).train(), torch.randn(2, 3, 8, 48, 40)
    plain, usual, built = PlainVideoSwin(copy.deepcopy(net)), copy.deepcopy(net), copy.deepcopy(net)
    assert compile_attention(built)
    for each, autocast in ((plain, False), (usual, half), (built, half)):
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            (each(clips).float()[:, ::2] ** 2).mean().backward()
    exact = [p.grad for p in plain.parameters() if p.grad is not None]
    apart = [
        [float((p.grad - q).abs().max() / q.abs().max()) for p, q in zip(each.parameters(), exact, strict=True)]
        for each in (usual, built)
    ]
    assert max(apart[1]) < (1.5 * max(apart[0]) if half else 1e-5)


@builds
@bf16
@pytest.mark.slow
@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("gated", [False, True])
def test_a_compiled_backbone_is_as_near_as_autocast(gated):
    net, clips = small(gated=gated), torch.randn(2, 3, 8, 48, 40)
    exact = PlainVideoSwin(net)(clips).detach()
    usual = (features(net, clips) - exact).abs()
    ready = prepare_for_scoring(copy.deepcopy(net), "bf16-mixed", compile=True)
    apart = (features(ready, clips) - exact).abs()
    assert apart.mean() < 1.2 * usual.mean()
    assert torch.equal(features(ready, clips), features(ready, clips))
    assert not torch.equal(features(ready, clips), features(prepare_for_scoring(net, "bf16-mixed"), clips))


@builds
@pytest.mark.slow
@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("channels", [32, 64, 24])
@pytest.mark.parametrize("size", [(8, 32, 32), (8, 48, 40), (7, 33, 30)])
def test_a_compiled_backbone_in_float32(size, channels):
    net, clips = small(channels=channels), torch.randn(2, 3, *size)
    exact = PlainVideoSwin(net)(clips).detach()
    ready = prepare_for_scoring(copy.deepcopy(net), compile=True)
    assert {block.attn.compiled for stage in ready.layers for block in stage.blocks} == {channels != 24}
    got = features(ready, clips, half=False)
    torch.testing.assert_close(got, exact, atol=1e-5, rtol=1e-5)
    one = features(ready, clips[1:], half=False)
    assert torch.equal(one[0], got[1])


@builds
@pytest.mark.slow
@pytest.mark.usefixtures("built")
@torch.inference_mode()
def test_the_iqa_network_in_float32():
    net, views = build_iqa_net(IQANetwork(backbone="convnext_tiny"), 64).eval(), torch.rand(2, 3, 64, 64)
    exact = net(views).score
    torch.testing.assert_close(prepare_for_scoring(net, compile=True)(views).score, exact, atol=1e-5, rtol=1e-5)
