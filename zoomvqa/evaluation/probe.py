"""The probe: ridge regression on frozen ImageNet features, the line that a trained network has to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from zoomvqa.calibration import Unit
from zoomvqa.calibration.ridge import fit_ridge
from zoomvqa.console import say
from zoomvqa.data.array_cache import ArrayCache, fill
from zoomvqa.data.labelled_set import LabelledSet, LabelledVideo
from zoomvqa.errors import AnnotationError
from zoomvqa.evaluation.agree import match
from zoomvqa.evaluation.methods import Outcome, Tested
from zoomvqa.metrics import figures_of
from zoomvqa.models.statistics import BACKBONE, MapStatistics, probe_network
from zoomvqa.settings.probe import Probe
from zoomvqa.training.report import write_predictions
from zoomvqa.video.reader import ReaderName
from zoomvqa.views import PartTaker, look_of
from zoomvqa.views.decoding import one_pass
from zoomvqa.views.store import open_store

NAME = "probe"
# Of the cache; features are 4 kB a video.
_LIMIT_GB = 2.0
# Frames that the network is shown together.
_AT_ONCE = 4
Features = Mapping[str, NDArray[np.float32]]


def probe_features(videos: Sequence[LabelledVideo], settings: Probe, reader: ReaderName = "auto") -> Features:
    """Return the (p,) float32 features of each video that can be read, by name: the mean over its frames.

    They are kept in the cache folder: the network is frozen, so that every split of a set shares them.

    Raises:
        ToolError: the package that ships the network's weights is not installed.
    """
    cache = ArrayCache(None, NAME, _LIMIT_GB)

    def entry(video: LabelledVideo) -> Path:
        return cache.entry(video.path, settings.model_dump(), BACKBONE, reader)

    if not all(entry(video).is_file() for video in videos):
        net = probe_network()
        try:
            make = partial(_of_frames, net, settings=settings, reader=reader)
            fill(cache, videos, entry, make, "Looking at videos for the probe")
        except AnnotationError as error:
            say(f"probe: {error}; they are left out")
    return {v.name: np.asarray(ArrayCache.load(e)) for v in videos if (e := entry(v)).is_file()}


def _of_frames(
    net: MapStatistics, video: LabelledVideo, settings: Probe, reader: ReaderName
) -> NDArray[np.float32]:
    """Return the mean of the features over a video's frames, a few of them at a time."""
    look = look_of(settings.sampling, settings.view)
    store = open_store(video.path, reader)
    taker = PartTaker(look, store, whole=True)
    one_pass(store, [taker])
    crops = look.view.to_network(torch.from_numpy(taker.parts()))
    return np.concatenate([net(some).numpy() for some in crops.split(_AT_ONCE)]).mean(axis=0)


def probe_scores(
    features: Features, train: Sequence[LabelledVideo], judged: Sequence[LabelledVideo]
) -> dict[str, float] | str:
    """Fit on training videos, and return the scores of others by name; or why that cannot be done.

    Args:
        features: see `probe_features`.
        train: the training videos.
        judged: the others.
    """
    known = [video for video in train if video.name in features]
    if len({video.content for video in known}) < 2:
        return "no training videos of at least two contents to fit it on"
    x = np.stack([features[video.name] for video in known]).astype(np.float64)
    fitted = fit_ridge(x, np.array([video.mos for video in known]), [video.content for video in known])
    there = [video for video in judged if video.name in features]
    if not there:
        return "no video that is judged can be read"
    scores = fitted(np.stack([features[video.name] for video in there]).astype(np.float64))
    return {video.name: float(score) for video, score in zip(there, scores, strict=True)}


def tell_probe(labelled: LabelledSet, tested: Tested, settings: Probe, output: Path) -> None:
    """Print the probe's figures beside those of a training, and write `probe_predictions.csv`.

    Raises:
        ToolError: see `run_probe`.
    """
    outcome = run_probe(labelled, tested, settings)
    if outcome is None:
        return
    judged = outcome.judged
    score, mos = torch.from_numpy(judged.score), torch.from_numpy(judged.mos)
    told = figures_of(score, mos).told(Unit(known=True, scale=labelled.mos_range))
    say(f"The probe on the same videos, without training: {told}")
    write_predictions(output / "probe_predictions.csv", judged.names, score, mos)


def run_probe(labelled: LabelledSet, tested: Tested, settings: Probe) -> Outcome | None:
    """Fit the probe on the training part of a set, and judge it; None, with a line, where it has no such part.

    Raises:
        ToolError: the package that ships the network's weights is not installed.
    """
    judged = {video.name for video in tested.videos}
    train = [video for video in labelled.videos if video.split == "train" and video.name not in judged]
    found: dict[str, float] | str = "the set has no training videos beside those that are judged"
    if train:
        found = probe_scores(
            probe_features([*train, *tested.videos], settings, tested.reader), train, tested.videos
        )
    if isinstance(found, str):
        say(f"{tested.name}: no probe: {found}")
        return None
    pairs, missing, _ = match(found, tested.videos)
    note = f"ridge regression on frozen {BACKBONE}, fitted on the {len(train)} training videos of this set"
    return Outcome(NAME, tested.name, pairs, len(missing), tested.split, note, tested.mos_range)
