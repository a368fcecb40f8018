"""The comparison with the public code: what it records of a script, and what it takes for a difference."""

import sys

import compare_training
import pytest
import torch
from training_steps.public import run_public
from training_steps.record import compare, stays_float64

# Trains as the public scripts do: copies its network for the average, makes AdamW and a loader, goes backward.
SCRIPT = """
import sys
from copy import deepcopy
import torch
import cv2, wandb

net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Dropout(0.5), torch.nn.Linear(2, 1))
net.load_state_dict(torch.load("w.pth")["state_dict"])
average = deepcopy(net)
loader = torch.utils.data.DataLoader([], batch_size=int(sys.argv[1]))
step = torch.optim.AdamW([{"params": [p]} for p in net.parameters()], lr=float(sys.argv[2]), weight_decay=0.05)
rates = torch.optim.lr_scheduler.LambdaLR(step, lambda i: i / len(loader))
for x in loader:
    step.zero_grad()
    net(x).mean().backward()
    step.step()
    rates.step()
    for mine, own in zip(average.parameters(), net.parameters()):
        mine.data.lerp_(own.data, 0.5)
raise RuntimeError("more steps than there are batches")
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT)
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Dropout(0.5), torch.nn.Linear(2, 1))
    batches = [torch.rand(4, 3, dtype=torch.float64) for _ in range(3)]
    files = {"w.pth": net.state_dict()}
    return lambda *flags: run_public(
        tmp_path / "train.py", list(flags), batches, length=10, files=files, work=tmp_path
    )


def test_a_script_s_first_steps_are_recorded(run):
    step, modules = torch.optim.AdamW, set(sys.modules)
    record = run("4", "0.1")
    assert len(record.losses) == 3
    assert [rates["0.weight"] for rates in record.rates] == pytest.approx([0.0, 0.01, 0.02])
    assert set(record.decays.values()) == {0.05}
    assert record.batch_size == 4
    assert record.gradients.keys() == record.weights.keys() == {"0.weight", "0.bias", "2.weight", "2.bias"}
    moved = (record.weights["2.bias"] - record.start["2.bias"]).abs()
    assert float(moved) > 0
    assert not torch.equal(record.average["2.bias"], record.weights["2.bias"])
    assert torch.optim.AdamW is step  # all is as it was
    assert set(sys.modules) == modules
    assert torch.ones(1, dtype=torch.float64).float().dtype == torch.float32


def test_the_same_is_no_difference_and_another_rate_is_one(run):
    one, same, other = run("4", "0.1"), run("4", "0.1"), run("8", "0.2")
    told = compare(one, same)
    assert {k: v for k, v in told.items() if not k.startswith("(")} == dict.fromkeys(list(told)[:-1], 0.0)
    told = compare(one, other)
    assert told["starting weights"] == told["weight decay"] == told["gradients"] == 0
    assert told["rates"] == told["batch size"] == pytest.approx(0.5)
    assert told["weights after 3 steps"] > 1e-3
    other.start.pop("0.bias")
    assert compare(one, other)["starting weights"] == float("inf")


def test_float64_stays():
    with stays_float64():
        assert torch.ones(1, dtype=torch.float64).float().dtype == torch.float64
        assert torch.ones(1, dtype=torch.float16).float().dtype == torch.float32


def test_without_the_public_code_it_says_where_that_is(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["compare_training.py"])
    with pytest.raises(SystemExit, match="git clone https://github.com/k-zha14/Zoom-VQA"):
        compare_training.main()
    monkeypatch.setattr(sys, "argv", ["compare_training.py", str(tmp_path)])
    with pytest.raises(SystemExit, match="(?s)there is no IQA/train_DDP_single.py in .*git clone"):
        compare_training.main()
    monkeypatch.setattr(sys, "argv", ["compare_training.py", str(tmp_path), "iqa"])
    with pytest.raises(SystemExit, match="got 'iqa', expected iqa_vdpve, vqa_vdpve, vqa_lsvq"):
        compare_training.main()
