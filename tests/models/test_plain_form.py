"""A network that cannot be prepared for scoring is left as it was, and that is said in one line."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from zoomvqa.internals import torch_private
from zoomvqa.models import inference
from zoomvqa.models.inference import prepare_for_scoring
from zoomvqa.models.layers import Mlp, fixed_noise
from zoomvqa.models.packed import PackedLinear, can_pack
from zoomvqa.models.vqa.attention import WindowAttention
from zoomvqa.models.vqa.swin import VideoSwin

bf16 = pytest.mark.skipif(not can_pack(torch.bfloat16), reason="a CPU without bfloat16")
BOTH = pytest.mark.parametrize("precision", ["32-true", pytest.param("bf16-mixed", marks=bf16)])


class Net(nn.Module):
    """A layer, and what reads it."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def check_outputs(self) -> list[Tensor]:
        return [self.body(fixed_noise(4, 16))]


class ReadsWeights(nn.Module):
    """As timm's BEiT, EVA and Swin V2 do with qkv."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(16, 48)

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.qkv.weight, self.qkv.bias)


class Doubled(nn.Linear):
    """A subclass that computes something else."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


class Tied(nn.Module):
    """One layer in two places, in one of them behind a GELU."""

    def __init__(self) -> None:
        super().__init__()
        self.mlp = Mlp(16, 24)
        self.again = nn.Sequential(self.mlp.fc1, self.mlp)

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp(x) + self.mlp.fc2(self.again[0](x)) + self.again[1](x)


class Between(nn.Module):
    """The names of an MLP, and a norm before its activation."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.act, self.norm = nn.Linear(16, 24), nn.GELU(), nn.LayerNorm(24)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.fc1(x)))


def kinds(net: nn.Module) -> list[type]:
    return [type(layer) for layer in net.modules()]


def plain_is_said(err: str) -> bool:
    assert len(err.splitlines()) <= 1
    return "scored in its plain form, which is slower" in err


@BOTH
def test_a_network_that_reads_the_weights_of_its_layers(precision, capsys):
    net = Net(ReadsWeights())
    before = kinds(net)
    prepare_for_scoring(net, precision)
    assert kinds(net) == before
    assert plain_is_said(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("body", "packs"),
    [(Doubled(16, 8), False), (Tied(), True), (Between(), True), (nn.Sequential(Between(), Doubled(24, 8)), True)],
    ids=["subclass", "tied", "between", "both"],
)
@BOTH
def test_what_only_looks_alike(body, packs, precision, capsys):
    net = Net(copy.deepcopy(body)).eval()
    half = precision == "bf16-mixed"
    with torch.inference_mode():
        (exact,) = net.check_outputs()
        prepare_for_scoring(net, precision)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            (got,) = net.check_outputs()
    torch.testing.assert_close(got.float(), exact, atol=2e-2 if half else 1e-5, rtol=2e-2 if half else 1e-5)
    assert (PackedLinear in kinds(net)) == packs
    assert kinds(net).count(Doubled) == kinds(body).count(Doubled)
    assert capsys.readouterr().err == ""


@BOTH
def test_a_prepared_form_that_is_apart_is_not_used(precision, monkeypatch, capsys):
    """Whatever the reason: here the layer that stands in is wrong by a twentieth."""
    true = PackedLinear.forward
    monkeypatch.setattr(PackedLinear, "forward", lambda self, x: 1.05 * true(self, x))
    net = Net(Mlp(16, 24))
    before = kinds(net)
    prepare_for_scoring(net, precision)
    assert kinds(net) == before
    err = capsys.readouterr().err
    assert plain_is_said(err)
    assert "output 0 is apart by" in err


def test_an_operator_that_raises_midway_leaves_nothing_behind(monkeypatch, capsys):
    true, made = PackedLinear.__init__, []

    def other(self: PackedLinear, *given: object, **options: object) -> None:
        made.append(self)
        if len(made) == 2:
            raise RuntimeError("another signature")
        true(self, *given, **options)

    monkeypatch.setattr(PackedLinear, "__init__", other)
    net = Net(Mlp(16, 24))
    before = kinds(net)
    prepare_for_scoring(net)
    assert (kinds(net), len(made)) == (before, 2)
    assert plain_is_said(capsys.readouterr().err)


def test_numbers_that_are_none_are_apart(monkeypatch, capsys):
    monkeypatch.setattr(PackedLinear, "forward", lambda _, x: torch.full_like(x, torch.nan))
    prepare_for_scoring(Net(nn.Sequential(nn.Linear(16, 16))))
    assert plain_is_said(capsys.readouterr().err)


def test_convolutions_have_their_order_back(monkeypatch):
    net = VideoSwin(channels=32, depths=(2, 2), heads=(2, 4), window=(4, 2, 2), base=(8, 32, 32))
    before = net.state_dict()
    strides = {name: value.stride() for name, value in before.items()}
    monkeypatch.setattr(PackedLinear, "forward", lambda *_: 1 / 0)
    prepare_for_scoring(net)
    assert {name: value.stride() for name, value in net.state_dict().items()} == strides
    assert PackedLinear not in kinds(net)


@pytest.mark.parametrize("missing", ["_reorder_linear_weight", "_linear_pointwise", "_is_mkldnn_bf16_supported"])
def test_a_torch_without_the_private_operators(missing, monkeypatch, capsys):
    class Operators:
        def __getattr__(self, name: str) -> object:
            if name == missing:
                raise AttributeError(name)
            return getattr(torch.ops.mkldnn, name)

    assert hasattr(torch.ops.mkldnn, missing)
    monkeypatch.setattr(torch_private, "_operators", Operators)
    torch_private._say_missing.cache_clear()
    for _ in range(2):
        net = Net(Mlp(16, 24))
        prepare_for_scoring(net, "bf16-mixed")
        assert PackedLinear not in kinds(net)
    said = " ".join(capsys.readouterr().err.split())
    assert said.count(f"This torch has no operator mkldnn.{missing}: networks are scored in their plain form") == 1
    torch_private._say_missing.cache_clear()


def test_compiled_attention_that_is_apart_is_not_used(monkeypatch, capsys):
    """Where nothing is built, or what is built is wrong: here attention is called for that is not there."""

    def compiled(net: nn.Module) -> bool:
        for layer in net.modules():
            if isinstance(layer, WindowAttention):
                layer.compiled = True
        return True

    def wrong(*_: object, **__: object) -> Tensor:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(inference, "compile_attention", compiled)
    monkeypatch.setattr("zoomvqa.models.vqa.swin.norm_at", wrong)
    net = VideoSwin(channels=32, depths=(2, 2), heads=(2, 4), window=(4, 2, 2), base=(8, 32, 32))
    prepare_for_scoring(net, compile=True)
    assert not any(layer.compiled for layer in net.modules() if isinstance(layer, WindowAttention))
    err = capsys.readouterr().err
    assert plain_is_said(err)
    assert "RuntimeError: no such operator" in err


def test_nothing_is_drawn_from_the_generator_of_others():
    net = Net(Mlp(16, 24))
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    prepare_for_scoring(net)
    assert torch.equal(torch.rand(1), wanted)
