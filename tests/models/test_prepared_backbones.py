"""Whatever timm backbone a network has, made ready for scoring it says what it said before."""

import copy
import re

import pytest
import timm
import torch
from torch import nn

from zoomvqa.errors import SettingsError
from zoomvqa.models.inference import prepare_for_scoring
from zoomvqa.models.iqa.net import IQANet, build_iqa_net
from zoomvqa.models.packed import PackedLinear, can_pack
from zoomvqa.settings.iqa import IQANetwork

# The wide test leaves larger networks out: they would take its time.
MOST_PARAMETERS = 16e6
SMALL_FIRST = ("test", "atto", "femto", "pico", "nano", "xxs", "xs", "micro", "tiny", "mini", "small", "lite", "s")


@pytest.fixture(autouse=True)
def one_thread():
    """Small networks are not faster with more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def disturbed(net: IQANet) -> IQANet:
    """No weight is 0 or 1: layers that start as nothing would hide what is in them."""
    torch.manual_seed(1)
    for parameter in net.parameters():
        parameter.data.add_(0.02 * torch.randn_like(parameter))
    return net.eval()


def outputs(net: IQANet, monkeypatch: pytest.MonkeyPatch, *, half: bool) -> list[torch.Tensor]:
    """What the network makes of another input than the one that its forms are compared by."""
    noise = torch.Generator().manual_seed(5)
    with (
        monkeypatch.context() as patch,
        torch.inference_mode(),
        torch.autocast("cpu", torch.bfloat16, enabled=half),
    ):
        patch.setattr("zoomvqa.models.iqa.net.fixed_noise", lambda *shape: torch.randn(shape, generator=noise))
        return [output.float() for output in net.check_outputs()]


def rms(values: torch.Tensor) -> float:
    return float(values.square().mean().sqrt())


def is_packed(net: nn.Module) -> bool:
    return any(isinstance(layer, PackedLinear) for layer in net.modules())


def check(net: IQANet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> dict[str, bool]:
    """See that the prepared network is the plain one in each precision; return whether its layers are packed."""
    exact, rounded = (outputs(net, monkeypatch, half=half) for half in (False, True))
    packed = {}
    capsys.readouterr()
    ready = prepare_for_scoring(copy.deepcopy(net))
    packed["32-true"] = is_packed(ready)
    assert packed["32-true"] != ("scored in its plain form" in capsys.readouterr().err)
    for got, wanted in zip(outputs(ready, monkeypatch, half=False), exact, strict=True):
        assert (got - wanted).abs().max() <= 1e-4 * wanted.abs().max()
    if can_pack(torch.bfloat16):
        ready = prepare_for_scoring(net, "bf16-mixed")
        packed["bf16-mixed"] = is_packed(ready)
        assert packed["bf16-mixed"] != ("scored in its plain form" in capsys.readouterr().err)
        for got, usual, true in zip(outputs(ready, monkeypatch, half=True), rounded, exact, strict=True):
            assert rms(got - true) <= 2.5 * rms(usual - true) + 2**-7 * rms(true)
    return packed


@pytest.mark.parametrize(
    ("name", "crop", "packed"),
    [
        ("convnext_atto", 64, True),
        ("convnextv2_atto", 64, True),
        ("pvt_v2_b0", 64, True),
        ("mambaout_femto", 64, True),
        ("efficientformerv2_s0", 224, True),
        ("swin_tiny_patch4_window7_224", 224, True),
        ("test_vit", 160, True),
        ("eva02_tiny_patch14_224", 224, False),  # reads the weights of its layers itself
    ],
)
def test_a_prepared_backbone_is_the_plain_one(name, crop, packed, monkeypatch, capsys):
    net = build_iqa_net(IQANetwork(backbone=name, hidden=16, drop_path=0), crop)
    assert set(check(disturbed(net), monkeypatch, capsys).values()) == {packed}


class Backbone(nn.Module):
    """Cells of 8 × 8 pixels, and something done to each of them."""

    def __init__(self, body: nn.Module):
        super().__init__()
        self.body = body
        self.feature_info = timm.models.FeatureInfo(
            [{"num_chs": 192, "reduction": 8, "module": "body"}], out_indices=(0,)
        )

    def forward(self, x):
        cells = nn.functional.pixel_unshuffle(x, 8)
        return [self.body(cells.movedim(1, -1)).movedim(-1, 1)]


@pytest.mark.parametrize(
    ("mlp", "gelus"),
    [
        (timm.layers.Mlp(192, 64), 1),
        (timm.layers.Mlp(192, 64, act_layer=timm.layers.GELU), 1),
        (timm.layers.Mlp(192, 64, act_layer=timm.layers.GELUTanh), 0),
        (timm.layers.Mlp(192, 64, act_layer=timm.layers.QuickGELU), 0),
        (timm.layers.Mlp(192, 64, act_layer=lambda: nn.GELU("tanh")), 0),
        (timm.layers.Mlp(192, 64, norm_layer=nn.LayerNorm), 1),
        (timm.layers.GlobalResponseNormMlp(192, 64, act_layer=nn.GELU), 1),
        (timm.layers.GluMlp(192, 64, act_layer=nn.GELU), 0),
        (timm.layers.SwiGLU(192, 64, act_layer=nn.GELU), 0),
    ],
    ids=lambda value: (
        f"{type(value).__name__}-{type(value.act).__name__}" if isinstance(value, nn.Module) else None
    ),
)
def test_a_gelu_is_joined_only_where_nothing_is_between(mlp, gelus, monkeypatch, capsys):
    net = disturbed(IQANet(Backbone(copy.deepcopy(mlp)), 4, 16))
    assert set(check(net, monkeypatch, capsys).values()) == {True}
    layers = [layer for layer in net.backbone.modules() if isinstance(layer, PackedLinear)]
    if can_pack(torch.bfloat16):
        assert sum(layer.gelu for layer in layers) == gelus


def smallest(module: str) -> list[str]:
    """Names of a timm family, those that sound smallest first."""

    def size(name: str) -> tuple:
        words = [word for word in SMALL_FIRST if re.search(rf"(_|^){word}(\d|_|$)", name)]
        rank = SMALL_FIRST.index(words[0]) if words else len(SMALL_FIRST)
        return rank, [int(number) for number in re.findall(r"\d+", name)], name

    return sorted(timm.list_models(module=module), key=size)


def small_net(module: str) -> IQANet:
    """A network with the smallest backbone of a family, for the smallest crops that it takes."""
    for name in smallest(module)[:3]:
        try:
            with torch.device("meta"):
                shape = timm.create_model(name)
        except (RuntimeError, NotImplementedError, TypeError):
            continue
        if sum(parameter.numel() for parameter in shape.parameters()) > MOST_PARAMETERS:
            continue
        for crop in (64, max(shape.pretrained_cfg["input_size"][1:])):
            try:
                return build_iqa_net(IQANetwork(backbone=name, hidden=16, drop_path=0), crop)
            except SettingsError:
                continue
    pytest.skip("no small network that gives feature maps")


@pytest.mark.slow
@pytest.mark.parametrize("module", timm.list_modules())
def test_every_family_of_timm(module, monkeypatch, capsys):
    check(disturbed(small_net(module)), monkeypatch, capsys)
