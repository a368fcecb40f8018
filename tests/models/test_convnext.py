"""ConvNeXt says what timm's says, bit by bit, and learns as it does."""

import pytest
import timm
import torch

from zoomvqa.models.convnext import SHAPES, ConvNeXt


def both(name: str, rate: float = 0.0) -> tuple[torch.nn.Module, ConvNeXt]:
    theirs = timm.create_model(name, features_only=True, drop_path_rate=rate)
    torch.manual_seed(0)
    for parameter in theirs.parameters():  # gamma starts so small that blocks do nothing
        parameter.data.add_(0.02 * torch.randn_like(parameter))
    own = ConvNeXt(SHAPES[name], rate)
    own.load_state_dict(theirs.state_dict())
    return theirs, own


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("name", ["convnext_tiny", "convnext_small"])
@torch.inference_mode()
def test_the_same_bits_as_timm(name, order):
    theirs, own = both(name)
    views = torch.randn(2, 3, 64, 96).to(memory_format=order)
    for a, b in zip(theirs.eval()(views), own.eval()(views), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", list(SHAPES))
def test_names_shapes_and_channels_are_timms(name):
    with torch.device("meta"):
        theirs, own = timm.create_model(name, features_only=True), ConvNeXt(SHAPES[name])
    assert {k: v.shape for k, v in theirs.state_dict().items()} == {
        k: v.shape for k, v in own.state_dict().items()
    }
    assert own.channels == tuple(theirs.feature_info.channels())
    assert own.strides == tuple(theirs.feature_info.reduction())


def test_gradients_and_stochastic_depth_are_timms():
    views, found = torch.randn(3, 3, 32, 32), []
    for net in both("convnext_tiny", 0.5):
        torch.manual_seed(1)
        net.train()(views)[-1].square().mean().backward()
        found.append({name: parameter.grad for name, parameter in net.named_parameters()})
    assert found[0].keys() == found[1].keys()
    assert all(torch.equal(found[0][name], grad) for name, grad in found[1].items())


def test_fresh_weights_are_drawn_as_timms():
    theirs, own = (
        timm.create_model("convnext_tiny", features_only=True).state_dict(),
        ConvNeXt(SHAPES["convnext_tiny"]),
    )
    for name, weight in own.state_dict().items():
        assert weight.mean() == pytest.approx(float(theirs[name].mean()), abs=2e-3), name
        if weight.numel() > 1000:
            assert weight.std() == pytest.approx(float(theirs[name].std()), rel=0.1), name
