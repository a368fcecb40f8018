"""Commands keep the memory that their own process frees."""

import pytest

from cli import conftest
from cli.conftest import SMALL, Run, on


@pytest.mark.slow
@pytest.mark.parametrize("name", ["train", "predict", "evaluate"])
def test_freed_memory_is_kept(command: Run, trained, labelled, monkeypatch, name):
    kept = []
    monkeypatch.setattr(conftest.MAINS[name], "keep_freed_memory", lambda: kept.append(1))
    ckpt = f"ckpt={trained / 'checkpoints' / 'best.ckpt'}"
    arguments = {
        "train": (*SMALL, *on(labelled), "output=run", "trainer.max_epochs=1"),
        "predict": (ckpt, "data=folder", *on(labelled), "device=cpu", "output=s.csv", "workers=0"),
        "evaluate": (ckpt, "data=folder", *on(labelled), "device=cpu", "workers=0", "resamples=0"),
    }
    outcome = command(name, *arguments[name])
    assert outcome.code == 0, outcome.err
    assert kept == [1]
