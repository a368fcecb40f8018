"""What a run starts from is always said."""

import pytest

from zoomvqa.models.vqa.convnext3d import ConvNeXt3D
from zoomvqa.settings.shared import StartingWeights
from zoomvqa.training import build


def told(capsys, **weights) -> str:
    build._tell_start(StartingWeights(**weights))
    return " ".join(capsys.readouterr().err.split())


def test_random_weights_are_told(capsys):
    assert told(capsys) == "Starting from random weights (weights=none)"


@pytest.mark.parametrize("source", ["none", "imagenet"])
def test_other_weights_than_the_recipe_s_are_warned_of(capsys, source):
    assert (
        "Warning: this recipe was published with weights=fast-vqa-b, and this run has weights="
        f"{source}: its figures cannot be those of the publication"
    ) in told(capsys, source=source, published="fast-vqa-b")


def test_nothing_is_warned_of_where_the_recipe_is_followed(capsys):
    assert told(capsys, source="fast-vqa-b", published="fast-vqa-b") == ""


def test_the_network_of_a_video_tells_its_tag(capsys, monkeypatch):
    from zoomvqa.data.labelled_set import LabelledSet
    from zoomvqa.settings.vqa import VQANetwork, vqa_branch

    made = ConvNeXt3D((16, 24, 32, 48), (1, 1, 1, 1))
    monkeypatch.setattr("zoomvqa.models.vqa.build.convnext3d", lambda *_args, **_options: made)
    monkeypatch.setattr(build, "VideoDataModule", lambda *_args: None)
    branch = vqa_branch(network=VQANetwork(backbone="convnext3d_tiny"))

    class Settings:
        weights = StartingWeights(source="imagenet")
        seed = 0

        class data:  # noqa: N801  a stand-in
            reader = "auto"

    build.build_branch(Settings, branch, LabelledSet("made", (), (0.0, 1.0)), {"view": {}})
    assert "Starting from ImageNet weights fb_in1k for convnext3d_tiny, inflated" in capsys.readouterr().err
