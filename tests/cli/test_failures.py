"""Training videos that fail midway."""

import pytest

from cli.conftest import SMALL, Run, on
from cli.test_train_vqa import TINY, read
from zoomvqa.errors import VideoError
from zoomvqa.video.reader import Video

pytestmark = pytest.mark.slow
BAD = ("testsrc2_1.mp4", "testsrc_1.mp4", "rgbtestsrc_1.mp4")


@pytest.fixture
def failing(monkeypatch):
    """Videos that open, and then cannot be decoded."""
    frames = Video.frames

    def fail(self, indices):
        if self.path.name in BAD:
            raise VideoError("its end is missing")
        return frames(self, indices)

    monkeypatch.setattr(Video, "frames", fail)


# The videos that fail are in the training split of this seed.
SPLIT = ("data.val_share=0.2", "data.split_seed=3")


@pytest.mark.parametrize("branch", [TINY, (*SMALL, "branch.loading.cache=false")], ids=["vqa", "iqa"])
def test_training_goes_on_and_names_them_once(failing, labelled, command: Run, tmp_path, branch):
    outcome = command("train", *branch, *on(labelled), *SPLIT, "output=run")
    assert outcome.code == 0, outcome.err
    failed = [name for name in BAD if f"another stands in: {name}: its end is missing" in outcome.err]
    assert failed
    assert all(outcome.err.count(f"stands in: {name}") == 1 for name in failed)
    assert f"{len(failed)} videos could not be read: " in outcome.err
    assert (tmp_path / "run" / "checkpoints" / "best.ckpt").is_file()


def test_validation_goes_on_without_them(failing, labelled, command: Run, tmp_path):
    # Both sides have some that fail.
    outcome = command("train", *TINY, *on(labelled), "data.val_share=0.5", "data.split_seed=1", "output=run")
    assert outcome.code == 0, outcome.err
    assert "another stands in: " in outcome.err
    left_out = [name for name in BAD if f"validation goes on without it: {name}: its end is" in outcome.err]
    assert left_out
    assert not {row["video"] for row in read(tmp_path / "run" / "val_predictions.csv")} & set(left_out)
    outcome = command("train", *TINY, *on(labelled), "data.split_seed=1", "output=all", "data.max_failures=0")
    assert outcome.code == 2
    assert "1 videos failed, more than data.max_failures=0:" in outcome.err


def test_too_many_end_the_run_with_the_list(failing, labelled, command: Run):
    outcome = command("train", *TINY, *on(labelled), *SPLIT, "output=run", "data.max_failures=1")
    assert outcome.code == 2
    assert "videos failed, more than data.max_failures=1:" in outcome.err
    assert "its end is missing" in outcome.err
    assert "Traceback" not in outcome.err
