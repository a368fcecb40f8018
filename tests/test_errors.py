"""Suggestions for words that are not known."""

import pytest

from zoomvqa.errors import nearest


@pytest.mark.parametrize(
    ("word", "choices", "found"),
    [
        ("limit_train_batches", ["accumulate_grad_batches", "log_every_n_steps"], ""),
        ("max_epoch", ["max_epochs", "precision"], " (did you mean 'max_epochs'?)"),
        ("optima", ["optuna"], " (did you mean 'optuna'?)"),
    ],
)
def test_only_near_words_are_suggested(word, choices, found):
    assert nearest(word, choices) == found
