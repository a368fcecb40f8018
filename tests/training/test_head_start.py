"""What a new head starts from."""

from pathlib import Path

import numpy as np
import pytest
import torch

from zoomvqa.data.batch import VideoBatch
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.models.iqa.net import build_iqa_net
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.settings.iqa import FrameSampling, FrameView, IQANetwork
from zoomvqa.settings.loss import loss_settings
from zoomvqa.settings.shared import Optimiser
from zoomvqa.settings.vqa import ClipSampling, ClipView, VQANetwork
from zoomvqa.training.build import Built
from zoomvqa.training.head_start import start_head
from zoomvqa.training.module import QualityModule
from zoomvqa.views import look_of

CLIPS = look_of(ClipSampling(clip_len=4), ClipView(resize=-1, grid=2, side=16))
FRAMES = look_of(FrameSampling(), FrameView(resize=32, crop=32))
AVERAGED = Optimiser(ema_decay=0.9)


class Data:
    """Twelve videos of six contents whose brightness is their MOS."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.train_videos = tuple(
            LabelledVideo(f"v{i}", Path(f"v{i}"), 40.0 + 5 * i, f"c{i % 6}", "train") for i in range(12)
        )
        self.prepared = 0

    def prepare_data(self) -> None:
        self.prepared += 1

    def training_parts(self, video):
        light, mos = (video.mos - 40) / 60, torch.tensor(video.mos)
        noise = torch.rand(2, 4, 32, 32, 3, generator=torch.Generator().manual_seed(int(video.mos)))
        if self.kind == "vqa":
            clips = (255 * (0.9 * light + 0.1 * noise)).to(torch.uint8)
            return VideoBatch({"vqa": clips}, mos, torch.tensor(0))
        views = (2 * light - 1 + 0.1 * noise[:, :1]).permute(0, 1, 4, 2, 3)
        return VideoBatch({"iqa": views[:, None]}, mos, torch.tensor(0))


def built(kind: str, *, new_head: bool = True) -> Built:
    torch.manual_seed(0)
    if kind == "iqa":
        net = build_iqa_net(IQANetwork(backbone="test_efficientnet", hidden=16, drop_path=0.0), 32)
        module = QualityModule(net, {"iqa": FRAMES}, loss_settings(), AVERAGED, {"unit": "mos"})
    else:
        vqa = build_vqa_net(VQANetwork(backbone="swin_nano", patch=4, drop_path=0.0), 4, 32)
        module = QualityModule(vqa, {"vqa": CLIPS}, loss_settings(name="plcc_rank"), AVERAGED, {"unit": "none"})
    return Built(module, Data(kind), new_head)


def scores(made: Built, net: torch.nn.Module) -> np.ndarray:
    made.module.eval()
    with torch.inference_mode():
        found = [float(made.module.score(net, made.data.training_parts(v))) for v in made.data.train_videos]
    return np.array(found)


MOS = np.array([40.0 + 5 * i for i in range(12)])


@pytest.mark.parametrize("kind", ["iqa", "vqa"])
def test_a_fitted_head_predicts_before_any_training(kind, capsys):
    made = built(kind)
    start_head(made, "fitted", "cpu")
    assert made.data.prepared == 1
    assert made.module.training
    assert "The head starts from a ridge regression; on training contents that it left out: SRCC" in " ".join(
        capsys.readouterr().err.split()
    )
    for net in made.module.candidates().values():
        said = scores(made, net)
        assert np.corrcoef(said, MOS)[0, 1] > 0.9
        assert abs(said.mean() - MOS.mean()) < 3


@pytest.mark.parametrize("kind", ["iqa", "vqa"])
def test_the_mean_of_the_labels(kind, capsys):
    made = built(kind)
    before = made.module.net.last_layer.weight.clone()
    start_head(made, "mean", "cpu")
    assert "The head starts at the mean of the labels, 67.5" in capsys.readouterr().err
    assert torch.equal(made.module.net.last_layer.weight, before)
    for net in made.module.candidates().values():
        np.testing.assert_allclose(scores(made, net).mean(), 67.5, atol=3)


@pytest.mark.parametrize(("start", "new_head"), [("random", True), ("fitted", False), ("mean", False)])
def test_a_head_that_stays_as_it_is(start, new_head):
    made = built("iqa", new_head=new_head)
    before = {name: tensor.clone() for name, tensor in made.module.state_dict().items()}
    start_head(made, start, "cpu")
    assert all(torch.equal(tensor, before[name]) for name, tensor in made.module.state_dict().items())


def test_one_content_is_too_few_for_a_fit(capsys):
    made = built("iqa")
    made.data.train_videos = tuple(v for v in made.data.train_videos if v.content == "c0")
    start_head(made, "fitted", "cpu")
    assert "The head starts at the mean of the labels, 55" in capsys.readouterr().err


def test_the_last_layer_is_what_a_score_is_linear_in():
    """The score of a clip is the last layer's output for the mean of what it is given."""
    made = built("vqa")
    clip = torch.rand(1, 3, 4, 32, 32)
    made.module.eval()
    with torch.inference_mode():
        features = made.module.net.head_features(clip)
        layer = made.module.net.last_layer
        linear = features @ layer.weight.flatten(1).T + layer.bias
        torch.testing.assert_close(linear.flatten(), made.module.net(clip).score, atol=1e-5, rtol=1e-5)
