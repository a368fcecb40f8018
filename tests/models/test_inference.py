"""Networks made ready for scoring say the same within bfloat16, whatever else is scored."""

import copy
import shutil

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils import cpp_extension

from zoomvqa.errors import SettingsError, ToolError
from zoomvqa.models.inference import PackedLinear, prepare_for_scoring
from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.models.vqa.net import VQANet
from zoomvqa.models.vqa.plain import PlainVideoSwin
from zoomvqa.models.vqa.softmax import build_softmax, softmax_with_bias
from zoomvqa.models.vqa.swin import VideoSwin
from zoomvqa.settings.iqa import IQANetwork

bf16 = pytest.mark.skipif(not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="a CPU without bfloat16")
builds = pytest.mark.skipif(
    shutil.which("c++") is None or not cpp_extension.is_ninja_available(), reason="no C++ compiler or no ninja"
)


def small(*, gated: bool = True) -> VideoSwin:
    torch.manual_seed(0)
    net = VideoSwin(
        channels=32, depths=(2, 2), heads=(2, 4), window=(4, 2, 2), base=(8, 32, 32), drop_path=0.0, gated=gated
    )
    for parameter in net.parameters():
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    return net.eval()


def features(net: nn.Module, clips: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        return net(clips).float()


@bf16
@pytest.mark.parametrize("gelu", [False, True])
def test_a_packed_layer_is_the_layer(gelu):
    torch.manual_seed(0)
    layer, x = nn.Linear(48, 80).bfloat16(), torch.randn(3, 50, 48).bfloat16()
    with torch.inference_mode():
        exact = functional.linear(x.float(), layer.weight.float(), layer.bias.float())
        got = PackedLinear(layer, gelu=gelu)(x)
    wanted = functional.gelu(exact) if gelu else exact
    assert got.dtype == torch.bfloat16
    # Half of the last place of bfloat16, and what the order of a float32 sum may change.
    torch.testing.assert_close(got.float(), wanted, atol=1e-5, rtol=2**-8)


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
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(ready(views).score, exact, atol=2e-2, rtol=2e-2)


@torch.inference_mode()
def test_in_float32_nothing_changes():
    net, clips = small(), torch.randn(1, 3, 8, 32, 32)
    before = net(clips)
    assert torch.equal(prepare_for_scoring(net.train())(clips), before)
    assert not net.training


def test_compile_is_for_bfloat16_only():
    with pytest.raises(
        SettingsError, match=r"^compile: got true with precision=32-true on cpu, expected bf16-mixed"
    ):
        prepare_for_scoring(small(), compile=True)


def test_without_a_compiler(monkeypatch):
    build_softmax.cache_clear()
    monkeypatch.setattr(cpp_extension, "get_cxx_compiler", lambda: "no-such-compiler")
    with pytest.raises(ToolError, match=r"^compile=true: there is no C\+\+ compiler \('no-such-compiler'\)"):
        prepare_for_scoring(small(), "bf16-mixed", compile=True)


def test_without_ninja(monkeypatch):
    build_softmax.cache_clear()
    monkeypatch.setattr(cpp_extension, "get_cxx_compiler", lambda: "python3")
    monkeypatch.setattr(cpp_extension, "is_ninja_available", lambda: False)
    with pytest.raises(ToolError, match=r"^compile=true: there is no ninja on the PATH; `pip install ninja`"):
        prepare_for_scoring(small(), "bf16-mixed", compile=True)


def test_a_compiler_that_refuses(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("Error building extension\nsoftmax.cpp:1: error: no such header")

    build_softmax.cache_clear()
    monkeypatch.setattr(cpp_extension, "get_cxx_compiler", lambda: "python3")
    monkeypatch.setattr(cpp_extension, "is_ninja_available", lambda: True)
    monkeypatch.setattr(cpp_extension, "load", refuse)
    with pytest.raises(ToolError, match=r"could not build .*softmax\.cpp \(.*no such header\)"):
        prepare_for_scoring(small(), "bf16-mixed", compile=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The softmax, built where nothing is left behind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path_factory.mktemp("built")))
        build_softmax.cache_clear()
        build_softmax()


@builds
@pytest.mark.slow
@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("gated", [False, True])
def test_the_compiled_softmax(gated):
    torch.manual_seed(0)
    scores = 8 * torch.randn(6, 50, 50).bfloat16()
    scores[0, 0] -= 1000
    start, rise = torch.randn(2, 3, 50, 50).bfloat16()
    gate = torch.randint(0, 12, (50, 50), dtype=torch.uint8)
    bias = start.float() + (gate * rise.float() if gated else 0)
    wanted = torch.softmax(0.3 * scores.float().unflatten(0, (2, 3)) + bias, dim=-1).flatten(0, 1)
    scores[1, 2, 3] = torch.nan
    softmax_with_bias(scores, start, rise if gated else None, gate, 0.3)
    assert scores[1, 2].isnan().all()
    scores[1, 2] = wanted[1, 2]
    torch.testing.assert_close(scores.float(), wanted, atol=1e-30, rtol=2**-8 + 1e-4)


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
