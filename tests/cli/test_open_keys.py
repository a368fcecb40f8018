"""Overrides of keys that the YAML files do not list."""

import pytest

from zoomvqa.cli.open_keys import open_key


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("trainer.detect_anomaly=true", "++trainer.detect_anomaly=true"),
        ("+trainer.detect_anomaly=true", "++trainer.detect_anomaly=true"),
        ("++trainer.detect_anomaly=true", "++trainer.detect_anomaly=true"),
        ("trainer.max_epochs=3", "trainer.max_epochs=3"),
        ("+trainer.max_epochs=3", "trainer.max_epochs=3"),
        ("++trainer.max_epochs=3", "++trainer.max_epochs=3"),
        ("trainer.no_such_key=3", "++trainer.no_such_key=3"),
        ("trainer.limit_train_batches=1,2", "++trainer.limit_train_batches=1,2"),
        ("callbacks.a._target_=b.C", "++callbacks.a._target_=b.C"),
        ("+callbacks=mine", "+callbacks=mine"),
        ("branch.loss.name=plcc", "branch.loss.name=plcc"),
        ("branch.loss.rank_weight=0.5", "++branch.loss.rank_weight=0.5"),
        ("trainer=ddp", "trainer=ddp"),
        ("~trainer.profiler", "~trainer.profiler"),
        ("output=trainer.a=1", "output=trainer.a=1"),
        ("branch.trainer.a=1", "branch.trainer.a=1"),
    ],
)
def test_they_are_written_as_hydra_takes_them(given, taken):
    assert open_key(given) == taken
