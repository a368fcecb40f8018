"""The VQA network: a Video Swin over fragments, and a score for every place of its feature map."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from zoomvqa.models.base import BranchNet, PartScores, ToNetwork

# Frames of clips that a CPU is shown at a time; an even number.
_FRAMES = 4


class ClipScores(NamedTuple):
    """What the network says of a batch of clips.

    Attributes:
        score: (batch,), without a unit: the loss it is trained with has no scale.
        map: (batch, time, rows, columns), whose mean is the score.
    """

    score: Tensor
    map: Tensor


class VQAHead(nn.Module):
    """Two 1×1×1 convolutions with a GELU between and dropout before both.

    Args:
        channels: of the features.
        hidden: between the two.
        dropout: before both.
    """

    def __init__(self, channels: int, hidden: int = 64, dropout: float = 0.5) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.fc_hid = nn.Conv3d(channels, hidden, kernel_size=1)
        self.fc_last = nn.Conv3d(hidden, 1, kernel_size=1)

    def forward(self, features: Tensor) -> Tensor:
        """Map (batch, channels, time, rows, columns) to (batch, time, rows, columns)."""
        return self.fc_last(self.hidden(features)).squeeze(1)

    def hidden(self, features: Tensor) -> Tensor:
        """Map (batch, channels, time, rows, columns) to what the last layer is given, of `hidden` channels."""
        return self.dropout(functional.gelu(self.fc_hid(self.dropout(features))))


class VQANet(BranchNet):
    """Backbone and head, named as in FAST-VQA and Zoom-VQA.

    Args:
        backbone: gives (batch, channels, time, rows, columns) features of clips, has their number `channels`, and
            `check_outputs`, the features of a small fixed clip.
        hidden: width of the head.
        dropout: in the head.
    """

    def __init__(self, backbone: nn.Module, hidden: int = 64, dropout: float = 0.5) -> None:
        super().__init__()
        self.fragments_backbone = backbone
        self.vqa_head = VQAHead(int(backbone.channels), hidden, dropout)  # type: ignore[arg-type]

    @property
    def backbones(self) -> tuple[nn.Module, ...]:
        """The modules that train with the backbone's smaller step; the others are the head."""
        return (self.fragments_backbone,)

    def forward(self, clips: Tensor | Iterable[Tensor]) -> ClipScores:
        """Score normalised (batch, 3, frames, rows, columns) clips.

        They may come as slices along the frames, in order and of even numbers of frames: a clip of 32 frames is
        43 MB, which then are never there at once. Scores are the same, to the last bit.
        """
        # Averaged in float32 whatever the network computed in: half precision would make ties.
        scores = self.vqa_head(self.fragments_backbone(clips)).float()
        return ClipScores(scores.flatten(1).mean(dim=1), scores)

    @property
    def last_layer(self) -> nn.Conv3d:
        """The head's last layer: a clip's score is linear in its weights."""
        return self.vqa_head.fc_last

    def head_features(self, clips: Tensor) -> Tensor:
        """Return what `last_layer` is given, the mean over places, (batch, hidden) float32.

        Args:
            clips: (batch, 3, frames, rows, columns), normalised.
        """
        return self.vqa_head.hidden(self.fragments_backbone(clips)).float().flatten(2).mean(dim=2)

    def score_parts(self, parts: Tensor, to_network: ToNetwork) -> PartScores:
        """Score (clips, frames, size, size, 3) uint8 clips; the map is `score`, (clips, time, rows, columns)."""
        some = _FRAMES if parts.device.type == "cpu" else parts.shape[1]
        out = self(to_network(slice_) for slice_ in parts.split(some, dim=1))
        return PartScores(out.score, {"score": out.map})

    def check_outputs(self) -> list[Tensor]:
        """Return what the backbone and the head make of a small fixed clip, to compare forms of the network by."""
        (features,) = self.fragments_backbone.check_outputs()  # type: ignore[operator]
        return [features, self.vqa_head(features)]
