"""Builds a ladder: clips, their VMAF, and the table of labels."""

from __future__ import annotations

import csv
import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from zoomvqa.console import progress
from zoomvqa.data.annotations import Label
from zoomvqa.data.split import assign_splits
from zoomvqa.errors import UserError, VideoError
from zoomvqa.files import whole_file
from zoomvqa.ladder.camera_path import film
from zoomvqa.ladder.encode import cut_pristine, degrade, ffmpeg_program, vmaf
from zoomvqa.ladder.rungs import Rung, draw_rungs
from zoomvqa.ladder.sources import Source, refuse_clashes
from zoomvqa.outputs import begins_with, refuse_foreign
from zoomvqa.video.read_timeline import read_timeline
from zoomvqa.video.timeline import Timeline

# Raise it when clips or scores come out differently.
METHOD = 2

_HEADER = ("video", "vmaf", "content", "split", "kind", "rung")


@dataclass(frozen=True)
class Plan:
    """How a ladder is made; see conf/make_ladder.yaml for each number."""

    height: int = 360
    seconds: float = 2.0
    segments: int = 3
    rungs: int = 7
    workers: int = 2
    val_share: float = 0.2
    test_share: float = 0.2
    seed: int = 0


@dataclass(frozen=True)
class _Segment:
    source: Source
    name: str
    start: float
    rungs: tuple[Rung, ...]


@dataclass(frozen=True)
class _Clip:
    """A finished clip: its file under videos/, the label, and what made it."""

    video: str
    vmaf: float
    content: str
    rung: str
    kind: str
    sha256: str


def build_ladder(sources: Sequence[Source], output: Path, plan: Plan) -> Path:
    """Make the clips of every source and return the table of labels, `<output>/labels.csv`.

    Each clip is written whole, checked (its number of frames) and noted with its checksum and score; a second
    call keeps what is there and right, so an interrupted build goes on where it stopped.

    Raises:
        UserError: a source cannot be read or is shorter than a clip (all are listed), ffmpeg is missing, or a
            table of somebody else's is in the way.
    """
    ffmpeg_program()
    refuse_other_labels(output)
    refuse_clashes(sources)
    segments = _segments(sources, plan)
    total = sum(len(s.rungs) for s in segments)
    clips: list[_Clip] = []
    with ThreadPoolExecutor(max_workers=plan.workers) as pool, progress() as bar:
        task = bar.add_task(f"Building {total} labelled clips", total=total)
        running: list[Future[list[_Clip]]] = [
            pool.submit(_make_segment, s, output, plan, lambda: bar.advance(task)) for s in segments
        ]
        try:
            for done in as_completed(running):
                clips += done.result()
        except BaseException:
            for future in running:
                future.cancel()
            raise
    clips.sort(key=lambda clip: clip.video)
    told = {s.content: s.split for s in sources}
    labels = [Label(c.video, c.vmaf, None, c.content, told[c.content]) for c in clips]
    splits = assign_splits(labels, plan.val_share, plan.test_share, plan.seed)
    return _write_table(output / "labels.csv", clips, splits)


def refuse_other_labels(output: Path) -> None:
    """Refuse a folder whose table of labels is no ladder's.

    Raises:
        UserError: it is none.
    """
    way = "give another folder"
    refuse_foreign(output / "labels.csv", lambda path: begins_with(path, ",".join(_HEADER)), way)


def _segments(sources: Sequence[Source], plan: Plan) -> list[_Segment]:
    found, problems = [], []
    for number, source in enumerate(sources):
        try:
            starts = _starts(source, _length(source), plan)
        except VideoError as error:
            problems.append(f"{source.path.name}: {error}")
            continue
        for start in starts:
            name = segment_name(source.content, start)
            rungs = source.rungs or draw_rungs(plan.rungs, f"{plan.seed}/{number}/{name}")
            found.append(_Segment(source, name, start, tuple(rungs)))
    if problems:
        lines = "\n  ".join(problems)
        raise UserError(f"{len(problems)} of {len(sources)} sources cannot be used:\n  {lines}")
    return found


def segment_name(content: str, start: float) -> str:
    """Return how the names of the clips begin that are cut at `start` seconds."""
    return f"{content}_{round(start * 100):05d}"


def _length(source: Source) -> float:
    if source.camera is not None:
        source.camera.check(source.path)
        return source.camera.seconds
    timeline = read_timeline(source.path)
    last = len(timeline) - 1
    return timeline.seconds(last) + float(timeline.durations[last] * timeline.time_base) - timeline.seconds(0)


def _starts(source: Source, length: float, plan: Plan) -> list[float]:
    end = min(length, source.end if source.end is not None else length)
    room = end - source.start - plan.seconds
    if room < -0.05:
        raise VideoError(f"{end - source.start:.2f} s long, a clip takes {plan.seconds:.2f} s")
    count = max(1, min(plan.segments, int((end - source.start) // plan.seconds)))
    step = max(0.0, room) / max(1, count - 1)
    return [source.start + (step * i if count > 1 else max(0.0, room) / 2) for i in range(count)]


def _make_segment(segment: _Segment, output: Path, plan: Plan, advance: Callable[[], None]) -> list[_Clip]:
    folder = output / "videos"
    clips: dict[str, _Clip] = {}
    for rung in segment.rungs:
        found = _finished(_note_path(output, segment, rung), folder, _recipe(segment, rung, plan))
        if found is not None:
            clips[rung.name] = found
            advance()
    if len(clips) < len(segment.rungs):
        with tempfile.TemporaryDirectory() as work:
            pristine = Path(work) / "pristine.mkv"
            _make_pristine(segment, plan, pristine)
            timeline = read_timeline(pristine)
            for rung in segment.rungs:
                if rung.name not in clips:
                    clip = clips[rung.name] = _make_clip(segment, rung, pristine, timeline, folder)
                    with whole_file(_note_path(output, segment, rung)) as handle:
                        json.dump({"recipe": _recipe(segment, rung, plan), "clip": asdict(clip)}, handle)
                    advance()
    return list(clips.values())


def _make_pristine(segment: _Segment, plan: Plan, output: Path) -> None:
    source = segment.source
    if source.camera is None:
        cut_pristine(source.path, segment.start, plan.seconds, plan.height, output)
    else:
        film(source.path, source.camera, segment.start, plan.seconds, output)


def _make_clip(segment: _Segment, rung: Rung, pristine: Path, timeline: Timeline, folder: Path) -> _Clip:
    name = f"{segment.name}_{rung.name}.mp4"
    folder.mkdir(parents=True, exist_ok=True)
    work = pristine.with_name(name)
    degrade(pristine, rung, (timeline.width, timeline.height), work)
    made = read_timeline(work)
    if len(made) != len(timeline):
        raise VideoError(f"{name} came out with {len(made)} frames instead of {len(timeline)}")
    score = vmaf(work, pristine)
    data = work.read_bytes()
    with whole_file(folder / name, "wb") as handle:
        handle.write(data)
    digest = hashlib.sha256(data).hexdigest()
    return _Clip(name, round(score, 4), segment.source.content, rung.name, rung.kind, digest)


def _note_path(output: Path, segment: _Segment, rung: Rung) -> Path:
    return output / "made" / f"{segment.name}_{rung.name}.json"


def _recipe(segment: _Segment, rung: Rung, plan: Plan) -> dict[str, object]:
    size = segment.source.path.stat().st_size
    camera = segment.source.camera
    return {
        "method": METHOD,
        **({} if camera is None else {"camera": asdict(camera)}),
        "source": [segment.source.path.name, size, round(segment.start, 3)],
        "clip": [plan.height, plan.seconds],
        "rung": asdict(rung),
    }


def _finished(note: Path, folder: Path, recipe: dict[str, object]) -> _Clip | None:
    """Return a clip that an earlier call made, if its file is whole and it was made in the same way."""
    try:
        entry = json.loads(note.read_text(encoding="utf-8"))
        clip = _Clip(**entry["clip"])
        data = (folder / clip.video).read_bytes()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    same = entry["recipe"] == json.loads(json.dumps(recipe))
    return clip if same and hashlib.sha256(data).hexdigest() == clip.sha256 else None


def _write_table(path: Path, clips: Sequence[_Clip], splits: Sequence[str]) -> Path:
    with whole_file(path, newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(_HEADER)
        for clip, split in zip(clips, splits, strict=True):
            writer.writerow([f"videos/{clip.video}", clip.vmaf, clip.content, split, clip.kind, clip.rung])
    return path
