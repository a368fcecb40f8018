"""What a run was made with: versions of packages, the machine, and the revision of the code."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

import zoomvqa

_PACKAGES = ("torch", "lightning", "timm", "torchmetrics", "hydra-core", "numpy", "scipy", "decord", "av")


def versions() -> dict[str, str | None]:
    """Return what a run is made with; None where something is not known.

    `git` is the revision of the code, with `+changes` where files differ from it; None outside of a clone.
    """
    found: dict[str, str | None] = {"zoomvqa": zoomvqa.__version__, "git": _revision()}
    found |= {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    found |= {package: _version(package) for package in _PACKAGES}
    found["cuda"] = torch.version.cuda if torch.cuda.is_available() else None
    found["gpu"] = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return found


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _revision() -> str | None:
    root = Path(zoomvqa.__file__).parents[1]
    if not (root / ".git").exists():  # installed: a folder above may be somebody else's clone
        return None
    try:
        revision = _git(root, "rev-parse", "HEAD")
        return f"{revision}+changes" if _git(root, "status", "--porcelain", "--untracked-files=no") else revision
    except (OSError, subprocess.SubprocessError):
        return None


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()
