"""Training on single frames of all videos in one order, kept on disk the first time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from zoomvqa.data.array_cache import ArrayCache, fill
from zoomvqa.data.batch import Batch, VideoBatch, labels_of
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.part_order import PartBatches, PartKey
from zoomvqa.data.substitutes import Substitutes
from zoomvqa.data.training_source import Samples, TrainingSource
from zoomvqa.data.whole_videos import check_video, open_video
from zoomvqa.errors import SettingsError, VideoError
from zoomvqa.settings.branch import PartLoading
from zoomvqa.video.reader import ReaderName
from zoomvqa.views import Look
from zoomvqa.views.base import KeepsFrames

# Frames of a video that are looked at outside of a training.
_PARTS = 8


class PartTraining(TrainingSource):
    """Random crops of single frames.

    Args:
        name: of the branch.
        look: what it looks at.
        loading: batches, workers and cache.
        reader: the decoder.
        seed: of the order, the crops and the flips.

    Raises:
        SettingsError: the view cannot keep frames, or a part is not one frame.
    """

    module = __name__

    def __init__(
        self, name: str, look: Look, loading: PartLoading, reader: ReaderName = "auto", seed: int = 0
    ) -> None:
        if not isinstance(look.view, KeepsFrames) or look.sampling.frames_per_part != 1:
            raise SettingsError(
                "branch.loading.kind: got 'parts', expected 'videos': only single frames, and views that can keep "
                "them, such as frame_crops, are trained on in one order"
            )
        self._name, self._look, self._view, self._loading = name, look, look.view, loading
        self._reader, self._seed = reader, seed
        self._cache = ArrayCache(loading.cache_folder, "frames", loading.cache_limit_gb) if loading.cache else None

    def prepare(self, videos: Sequence[LabelledVideo]) -> None:
        """Keep the frames of every video at the training resolution; see `TrainingSource`."""
        if self._cache:
            fill(self._cache, videos, self._place, self.kept_frames)

    def open(self, video: LabelledVideo) -> int:
        """Return how many frames a video gives; one that is not cached is opened, which finds what is no video."""
        entry = self._entry(video)
        if entry is None:
            return check_video(video.path, {self._name: self._look}, self._reader)
        return len(ArrayCache.load(entry))

    def samples(self, videos: Sequence[LabelledVideo], counts: Sequence[int], rank: int, world: int) -> Samples:
        """See `TrainingSource`; without a cache the frames of a few videos at a time are mixed."""
        entries, loading = [self._entry(video) for video in videos], self._loading
        grouped = any(entry is None for entry in entries)
        order = PartBatches(
            counts, loading.batch_size, self._seed, rank, world, grouped=grouped, workers=loading.workers
        )
        return Samples(TrainFrames(videos, entries, self), order)

    def some_parts(self, video: LabelledVideo) -> VideoBatch:
        """Return the test crops of at most 8 frames as they are kept, rounded to 8 bits."""
        entry = self._entry(video)
        frames = self.kept_frames(video) if entry is None else ArrayCache.load(entry)
        count = min(len(frames), _PARTS)
        cut = self._view.cutter((frames.shape[1], frames.shape[2]))
        parts = np.stack([cut(np.asarray(frames[i * len(frames) // count]))[None] for i in range(count)])
        return VideoBatch({self._name: torch.from_numpy(parts)}, torch.tensor(video.mos), torch.tensor(0))

    def kept_frames(self, video: LabelledVideo) -> NDArray[np.uint8]:
        """Decode a video once and return its frames at the training resolution, (n, height, width, 3) uint8.

        Raises:
            VideoError: the video cannot be read.
        """
        store = open_video(video.path, {self._name: self._look}, self._reader)
        wanted = self._look.sampling.choose(store)[:, 0].tolist()
        frames = [self._view.kept(frame) for frame in store.frames(wanted)]
        if len(shapes := sorted({frame.shape[:2] for frame in frames})) > 1:
            told = " and ".join(f"{w}×{h}" for h, w in shapes[:2])
            raise VideoError(f"its frames have different shapes: {told}")
        return np.stack(frames)

    def crop_of(self, frames: NDArray[np.uint8], key: PartKey) -> NDArray[np.float32]:
        """Return the random crop that a key draws out of the kept frames of a video."""
        # What stands in for a video may have fewer frames.
        return self._view.random_crop(frames[key.frame % len(frames)], key.seed)

    def with_name(self, crops: NDArray[np.float32]) -> dict[str, torch.Tensor]:
        """Return (batch, …) crops as the inputs of the branch: one part of one frame and one crop each."""
        return {self._name: torch.from_numpy(crops)[:, None, None, None]}

    def _place(self, video: LabelledVideo) -> Path:
        assert self._cache is not None  # noqa: S101  asked for only where there is one
        return self._cache.entry(video.path, self._look.made_from[0], self._view.kept_depends_on, self._reader)

    def _entry(self, video: LabelledVideo) -> Path | None:
        place = self._place(video) if self._cache else None
        return place if place is not None and place.is_file() else None


class TrainFrames(Dataset[Batch]):
    """Random crops of training frames; an index is the list of keys of one batch.

    Args:
        videos: the training videos.
        entries: for each video its cache entry, or None where it must be decoded.
        source: what keeps frames, and cuts them.
        remembered: decoded videos each worker keeps at hand.
    """

    def __init__(
        self,
        videos: Sequence[LabelledVideo],
        entries: Sequence[Path | None],
        source: PartTraining,
        remembered: int = 8,
    ) -> None:
        self._paths = {video.name: entry for video, entry in zip(videos, entries, strict=True)}
        self._substitutes, self._source, self._remembered = Substitutes(videos), source, remembered
        self._at_hand: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()

    def __getitem__(self, keys: list[PartKey]) -> Batch:
        read = [self._substitutes.read(key.video, self._frames) for key in keys]
        pairs = zip(read, keys, strict=True)
        crops = np.stack([self._source.crop_of(frames, key) for (frames, _), key in pairs])
        mos, sets = labels_of([video for _, video in read])
        return Batch(self._source.with_name(crops), mos, self._substitutes.untold(), sets)

    def _frames(self, video: LabelledVideo) -> NDArray[np.uint8]:
        entry = self._paths[video.name]
        if entry is not None:
            return ArrayCache.load(entry)
        if video.name not in self._at_hand:
            self._at_hand[video.name] = self._source.kept_frames(video)
            if len(self._at_hand) > self._remembered:
                self._at_hand.popitem(last=False)
        return self._at_hand[video.name]
