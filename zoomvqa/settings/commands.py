"""Settings of the commands: what the files at the top of `conf` may say."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Tag,
    ValidationInfo,
    field_validator,
)

from zoomvqa.settings.base import Settings
from zoomvqa.settings.branch import USUAL_NAMES, BranchSettings
from zoomvqa.settings.data import AnyData, SplitName
from zoomvqa.settings.fusion import FusionBranch
from zoomvqa.settings.probe import Probe
from zoomvqa.settings.protocol import Protocol
from zoomvqa.settings.ray import RaySettings
from zoomvqa.settings.shared import Fraction01, StartingWeights
from zoomvqa.settings.targets import Callbacks, Loggers
from zoomvqa.settings.trainer import TrainerSettings
from zoomvqa.settings.vqa import ClipCount
from zoomvqa.video.reader import ReaderName
from zoomvqa.video.show import HDR, Interlaced, PixelShape

Device = Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?|mps)$")]

# Fewer draws tell no interval.
FEWEST_RESAMPLES = 100


def _sort_of(values: Any) -> str:
    """Tell the settings of a fusion from those of a branch."""
    name = values.get("name") if isinstance(values, dict) else getattr(values, "name", None)
    return FusionBranch.__name__ if name == "fusion" else BranchSettings.__name__


Branch = Annotated[
    Annotated[BranchSettings, Tag("BranchSettings")] | Annotated[FusionBranch, Tag("FusionBranch")],
    Discriminator(_sort_of),
]


class Keeping(Settings):
    """Which checkpoints of a run are kept, beside the best and the last."""

    top_k: PositiveInt = 1
    average: bool = False

    @field_validator("average")
    @classmethod
    def _has_several(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("top_k") == 1:
            raise ValueError("false, or keep.top_k of 2 or more to average")
        return value


class EarlyStopping(Settings):
    """When a run ends before its epochs are over."""

    patience: PositiveInt | None = None
    min_delta: Annotated[float, Field(ge=0.0)] = 0.0


class TrainSettings(Settings):
    """`train.py`."""

    # Keys that name the checkpoint of a branch of the same name, short for an entry of `fuse`.
    SHORT_SOURCES: ClassVar[tuple[str, ...]] = USUAL_NAMES

    branch: Branch
    fuse: Annotated[dict[str, str], BeforeValidator(lambda given: given or {})] = Field(default_factory=dict)
    iqa: str | None = None
    vqa: str | None = None
    weights: StartingWeights = StartingWeights()
    data: AnyData
    trainer: TrainerSettings
    keep: Keeping = Keeping()
    early_stopping: EarlyStopping = EarlyStopping()
    probe: Probe | None = None
    calibration_folds: Literal[0] | Annotated[int, Field(ge=2)] = 0
    logger: Loggers = Field(default_factory=dict)
    callbacks: Callbacks = Field(default_factory=dict)
    output: str
    overwrite: bool
    resume: str | None = None
    seed: Annotated[int, Field(ge=0)]
    threads: PositiveInt | None
    compile: bool = False
    protocol: Protocol | None = None
    plugins: tuple[str, ...] = ()


class PredictSettings(Settings):
    """`predict.py`."""

    ckpt: str
    input: str | None
    data: AnyData | None = None
    split: SplitName
    output: str
    overwrite: bool = False
    details: bool
    test_crops: PositiveInt | None
    test_clips: ClipCount | None
    reader: ReaderName
    min_share: Annotated[float, Field(gt=0.0, le=1.0)]
    hdr: HDR
    pixels: PixelShape
    interlaced: Interlaced
    remote: bool
    workers: NonNegativeInt | None
    patience: PositiveFloat
    device: Device
    devices: PositiveInt
    batch: PositiveInt | None
    precision: Literal["32-true", "bf16-mixed", "16-mixed"]
    compile: bool
    engine: Literal["local", "ray"]
    ray: RaySettings
    plugins: tuple[str, ...] = ()


class ConvertSettings(Settings):
    """`scripts/convert_checkpoint.py`."""

    input: str
    output: str
    format: Literal["zoomvqa", "release", "video_swin", "timm"]
    patch: PositiveInt | None
    take: str | None
    plugins: tuple[str, ...] = ()


# A word or a weight for each name. The tags are written as pydantic names members of a union: they are no keys.
FuseWeights = Annotated[
    Annotated[Literal["equal", "fit"], Tag("literal[word]")]
    | Annotated[dict[str, NonNegativeFloat], Tag("dict[str,float]")],
    Discriminator(lambda value: "dict[str,float]" if isinstance(value, dict) else "literal[word]"),
]


class FuseSettings(Settings):
    """`scripts/fuse.py`."""

    files: dict[str, str] | None = None
    iqa: str | None = None
    vqa: str | None = None
    output: str
    overwrite: bool = False
    share: Fraction01 | None = None
    weights: FuseWeights | None = None
    labels: str | None = None
    split: Literal["all", "train", "val", "test"] = "val"
    rescaled: list[str] | None = None

    @field_validator("files", "weights", mode="before")
    @classmethod
    def _names_are_texts(cls, value: Any) -> Any:
        """Take names that YAML reads as numbers."""
        return {str(name): inner for name, inner in value.items()} if isinstance(value, dict) else value


class ExtractSettings(Settings):
    """`scripts/extract_frames.py`."""

    input: str
    output: str
    fps: PositiveFloat
    workers: PositiveInt
    reader: ReaderName


class LadderSettings(Settings):
    """`scripts/make_ladder.py`."""

    sources: str
    output: str
    height: Annotated[int, Field(ge=64, multiple_of=2)]
    seconds: PositiveFloat
    segments: PositiveInt
    rungs: PositiveInt
    workers: PositiveInt
    val_share: Annotated[float, Field(ge=0.0, lt=1.0)]
    test_share: Annotated[float, Field(ge=0.0, lt=1.0)]
    seed: int


class EvaluateSettings(Settings):
    """`scripts/evaluate.py`."""

    ckpt: str | list[str] | None
    predictions: str | list[str] | None
    annotations: str | None
    names: list[Annotated[str, Field(min_length=1)]] | None
    data: AnyData | None = None
    split: Literal["auto", "all", "train", "val", "test"]
    output: str
    probe: Probe | None = None
    published: bool
    parameters: Literal[4, 5]
    resamples: NonNegativeInt
    workers: NonNegativeInt | None
    patience: PositiveFloat
    device: Device
    precision: Literal["32-true", "bf16-mixed", "16-mixed"]
    plugins: tuple[str, ...] = ()

    @field_validator("resamples")
    @classmethod
    def _enough(cls, value: int) -> int:
        if 0 < value < FEWEST_RESAMPLES:
            raise ValueError(f"0, or {FEWEST_RESAMPLES} at least")
        return value


class CheckSettings(Settings):
    """`scripts/check_data.py`."""

    data: AnyData
    output: str
    workers: PositiveInt | None
    decode: bool
    seconds: PositiveFloat
