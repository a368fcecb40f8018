"""The arguments of Lightning's Trainer that are not typed: which there are, and which the training sets itself."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

# What is expected instead of a key that would break what runs promise, or that does nothing here.
REFUSED = {
    "barebones": "it left out: it switches checkpoints and logging off; trainer.profiler tells where time goes",
    "callbacks": "the key `callbacks` beside `trainer`: they are appended to the run's own",
    "default_root_dir": "the key `output`: a run writes to one folder",
    "enable_autolog_hparams": "it left out: loggers are given the whole config by the run itself",
    "enable_checkpointing": "it left out: runs are judged by their best checkpoint and go on from their last; "
    "keep.top_k says how many more are kept",
    "fast_dev_run": "debug=fast: this key switches checkpoints off, and a run without one ends in an error",
    "limit_predict_batches": "it left out: a training predicts nothing; predict.py scores videos",
    "limit_test_batches": "it left out: a training tests nothing; scripts/evaluate.py and `protocol` do",
    "logger": "the key `logger` beside `trainer`: logger=csv, logger=[csv,mlflow], or settings with _target_",
    "max_steps": "trainer.max_epochs, with trainer.limit_train_batches for short epochs: learning rate, "
    "validation and checkpoints go by whole epochs",
    "max_time": "a SIGTERM when time is over (timeout 2h …, or the cluster's), then resume=auto: the run saves "
    "and goes on, where this key would end it between two checkpoints",
    "min_steps": "trainer.min_epochs: an early stop between two epochs could not be gone on from",
    "model_registry": "a callback under `callbacks` that uploads checkpoints: the run keeps them in `output`",
    "num_sanity_val_steps": "debug=fast: figures of a few videos before training would be taken for a validation",
    "overfit_batches": "debug=overfit or data.overfit=true: validation takes whole videos, no training batches",
    "plugins": "it left out: the run has plugins of its own, for whole checkpoints and for trainer.precision",
    "reload_dataloaders_every_n_epochs": "it left out: every epoch is drawn anew already, and a loader that is "
    "made again forgets where a stopped run is",
    "use_distributed_sampler": "it left out: the data is shared out among processes by the run itself",
    "val_check_interval": "trainer.limit_train_batches for shorter epochs, or trainer.check_val_every_n_epoch: "
    "checkpoints, early stopping and resume go by whole epochs",
}


def parameters() -> list[str]:
    """Return the names of the arguments of Lightning's Trainer."""
    import lightning  # noqa: PLC0415  seconds; most commands never ask

    return [name for name in inspect.signature(lightning.Trainer).parameters if name != "self"]


def further_keys(typed: Collection[str]) -> list[str]:
    """Return the arguments that may be given beside the typed ones."""
    return [name for name in parameters() if name not in typed and name not in REFUSED]


def check_further(values: Mapping[str, Any]) -> None:
    """Check arguments that are not typed: their names, and their values by the Trainer's annotations.

    Raises:
        ValidationError: one is unknown, is refused, or has a value of another kind.
    """
    if not values:
        return
    known = set(parameters())
    problems: list[InitErrorDetails] = []
    for key, value in values.items():
        if key not in known:
            problems.append({"type": "extra_forbidden", "loc": (key,), "input": value})
        elif expected := REFUSED.get(key) or _of_another_kind(key, value):
            kind = PydanticCustomError("trainer_argument", "{told}", {"told": expected})
            problems.append({"type": kind, "loc": (key,), "input": value})
    if problems:
        raise ValidationError.from_exception_data("TrainerSettings", problems)


def _of_another_kind(key: str, value: Any) -> str | None:
    """Return what an argument's value should be; None where it is that."""
    import lightning  # noqa: PLC0415

    hint = get_type_hints(lightning.Trainer.__init__).get(key, Any)
    try:
        TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True)).validate_python(value, strict=True)
    except ValidationError as error:
        told = dict.fromkeys(e["msg"].removeprefix("Input should be ") for e in error.errors())
        return " or ".join(told)
    return None
