"""Public weights by name: where they are, and a cache that they are downloaded into once."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from zoomvqa.checkpoints.files import read_file
from zoomvqa.console import say
from zoomvqa.download import download, record_of
from zoomvqa.errors import CheckpointError, ToolError, nearest
from zoomvqa.files import cache_folder, sha256_of

# Another place for the files: the address of a folder on a server, or a folder on this machine.
MIRROR = "ZOOMVQA_WEIGHTS_URL"


@dataclass(frozen=True)
class NamedWeights:
    """A public file of weights.

    Attributes:
        address: of its makers.
        about: what it is.
        sha256: of the file, where its makers or we know it; otherwise the first download's is kept.
    """

    address: str
    about: str
    sha256: str | None = None

    @property
    def file(self) -> str:
        """The file's own name."""
        return self.address.rsplit("/", maxsplit=1)[-1]


_ZOOM = "https://github.com/k-zha14/Zoom-VQA/releases/download/v0.1/"
_FAST = "https://github.com/TimothyHTimothy/FAST-VQA/releases/download/v2.0.0/"
_SWIN = "https://github.com/SwinTransformer/storage/releases/download/v1.0.4/"
NAMED = {
    "zoomvqa-iqa-vdpve": NamedWeights(
        _ZOOM + "iqa_best_29epoch_checkpoint.pth.tar", "the release's IQA branch, trained on VDPVE"
    ),
    "zoomvqa-vqa-vdpve": NamedWeights(
        _ZOOM + "vqa_best_29e_val-vqpve_s.pth", "the release's VQA branch (patch 6), trained on VDPVE"
    ),
    "fast-vqa-b": NamedWeights(_FAST + "FAST_VQA_B_1_4.pth", "FAST-VQA-B (patch 4), trained on LSVQ"),
    "fast-vqa-m": NamedWeights(_FAST + "FAST_VQA_M_1_4.pth", "FAST-VQA-M (small windows), trained on LSVQ"),
    "kinetics-swin-t": NamedWeights(
        _SWIN + "swin_tiny_patch244_window877_kinetics400_1k.pth", "Video Swin-T, Kinetics-400; to start from"
    ),
}


def weights_file(source: str | Path, key: str) -> Path:
    """Return the file that a path or a name means; a named one is downloaded unless it is in the cache.

    Args:
        source: a path, or a key of `NAMED`.
        key: of the setting it came from, for messages.

    Raises:
        CheckpointError: there is no such file or name, or the cached file is not what was downloaded.
        ToolError: it cannot be downloaded.
    """
    path = _existing(source)
    if path is not None:
        return path
    named = NAMED.get(str(source))
    if named is None:
        hint = nearest(str(source), NAMED)
        raise CheckpointError(f"{key}: no such file: {source}{hint}; known by name: {', '.join(NAMED)}")
    mirror = os.environ.get(MIRROR, "").strip()
    target = cache_folder() / "weights" / named.file
    if mirror and "://" not in mirror and not target.exists():
        return _in_folder(Path(mirror).expanduser(), named)
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_name(f".{target.name}.lock")):  # several processes want it at once
        if target.exists():
            _verify(target, named)
        else:
            address = f"{mirror.rstrip('/')}/{named.file}" if mirror else named.address
            _fetch(named, address, target, key, str(source))
    return target


def _existing(source: str | Path) -> Path | None:
    """Return the path of what is there, None where nothing is."""
    try:
        path = Path(source).expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError, ValueError):  # a name that no file can have, or no such user's folder
        return None


def _in_folder(folder: Path, named: NamedWeights) -> Path:
    if not (folder / named.file).is_file():
        raise CheckpointError(f"{MIRROR}: there is no {named.file} in the folder {folder}")
    return folder / named.file


def _fetch(named: NamedWeights, address: str, target: Path, key: str, name: str) -> None:
    try:
        download(address, target, sha256=named.sha256, look=lambda path: _look(path, key))
    except ToolError as error:
        raise ToolError(
            f"{key}={name}: {error}; a copy can be put at {target}, or {MIRROR} can name a mirror"
        ) from None
    digest = record_of(target).read_text()[:16]
    say(f"Downloaded {name} to {target} (sha256 {digest}…{'' if named.sha256 else ', recorded'})")


def _look(path: Path, key: str) -> None:
    """Read a download as it will be read, and compare what is in it with its own checksums, where it has any.

    Raises:
        CheckpointError: it is no checkpoint, or damaged.
    """
    read_file(path, key)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged:
            raise CheckpointError(f"{path}: damaged ({damaged})")


def _verify(target: Path, named: NamedWeights) -> None:
    """Compare a cached file with its checksum: the known one, or its download's; one put there has none."""
    record = record_of(target)
    wanted = named.sha256 or (record.read_text().partition(" ")[0] if record.is_file() else None)
    if wanted is not None and sha256_of(target) != wanted:
        raise CheckpointError(f"{target} is not what was downloaded (its checksum differs): delete it")
