import json
from pathlib import Path

import pytest
import torch

from zoomvqa.losses import build_loss
from zoomvqa.losses.correlation import norm_in_norm_loss, plcc_loss, rank_loss
from zoomvqa.settings.loss import loss_settings

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "losses.json").read_text())
NAMES = {
    "plcc": loss_settings(name="plcc"),
    "rank": loss_settings(name="rank"),
    "plcc+0.3*rank": loss_settings(name="plcc_rank", rank_weight=0.3),
    "smooth_l1": loss_settings(name="smooth_l1"),
    "norm_in_norm(p=2,q=2,alpha=1,0)": loss_settings(name="norm_in_norm"),
}


@pytest.mark.parametrize("case", NAMES)
def test_values_and_gradients_of_the_release(case):
    prediction = torch.tensor(GOLDEN["pred"], requires_grad=True)
    loss = build_loss(NAMES[case])(prediction, torch.tensor(GOLDEN["mos"]))
    loss.backward()
    assert loss.item() == pytest.approx(GOLDEN["cases"][case]["value"], rel=1e-6, abs=1e-6)
    torch.testing.assert_close(prediction.grad, torch.tensor(GOLDEN["cases"][case]["grad"]), rtol=1e-5, atol=1e-7)


def test_every_golden_case_is_tested():
    assert set(NAMES) == set(GOLDEN["cases"])


@pytest.mark.parametrize("name", ["l1", "mse"])
def test_pointwise(name):
    prediction, mos = torch.tensor([1.0, 5.0]), torch.tensor([2.0, 2.0])
    assert build_loss(loss_settings(name=name))(prediction, mos).item() == {"l1": 2.0, "mse": 5.0}[name]


@pytest.mark.parametrize("loss", [plcc_loss, rank_loss, norm_in_norm_loss])
def test_a_batch_of_one_costs_nothing_and_has_a_gradient(loss):
    prediction = torch.tensor([3.0], requires_grad=True)
    value = loss(prediction, torch.tensor([50.0]))
    value.backward()
    assert value.item() == 0
    assert prediction.grad.tolist() == [0.0]


@pytest.mark.parametrize("loss", [plcc_loss, rank_loss, norm_in_norm_loss])
def test_perfect_agreement_costs_nothing(loss):
    mos = torch.tensor([1.0, 2.0, 5.0, 7.0])
    assert loss(0.1 * mos + 3, mos).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("loss", [plcc_loss, rank_loss, norm_in_norm_loss])
def test_equal_predictions_stay_finite(loss):
    prediction = torch.ones(4, requires_grad=True)
    loss(prediction, torch.arange(4.0)).backward()
    assert prediction.grad.isfinite().all()


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"\(batch,\) tensors, got \(4, 1\)"):
        plcc_loss(torch.ones(4, 1), torch.ones(4, 1))


def test_norm_in_norm_with_other_norms_is_scale_free():
    prediction, mos = torch.randn(9), torch.randn(9)
    one = norm_in_norm_loss(prediction, mos, p=1.0, q=2.0)
    other = norm_in_norm_loss(7 * prediction + 2, mos, p=1.0, q=2.0)
    assert one.item() == pytest.approx(other.item(), rel=1e-4)
    assert 0 < one.item() <= 1


def test_regulariser_is_added():
    prediction, mos = torch.tensor([1.0, 2.0, 9.0]), torch.tensor([3.0, 2.0, 1.0])
    plain = build_loss(loss_settings(name="l1"))(prediction, mos)
    ranked = build_loss(loss_settings(name="l1", soft_srcc_weight=0.5))(prediction, mos)
    assert ranked.item() > plain.item()
