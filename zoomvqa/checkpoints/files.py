"""Reading files of tensors without executing anything in them."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zoomvqa.errors import CheckpointError


def _numbers() -> list[Any]:
    """Return what NumPy's numbers are stored as: FAST-VQA's and Zoom-VQA's files keep their figures so.

    Making a number of these runs nothing. NumPy 2 moved the function, and files name it by either place.
    """
    scalar = np.float64(0).__reduce__()[0]
    kinds = (np.float64, np.float32, np.float16, np.int64, np.int32, np.bool_)
    places = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
    return [*((scalar, place) for place in places), np.dtype, *{type(np.dtype(kind)) for kind in kinds}]


def _refuse_packed(path: Path) -> None:
    """Refuse an archive that grows when it is read: tensors are stored as they are, never compressed.

    Raises:
        CheckpointError: it is one.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            claimed = sum(entry.file_size for entry in archive.infolist())
    except Exception:  # noqa: BLE001  of another form, or damaged in any way: torch says so
        return
    if claimed > path.stat().st_size:
        raise CheckpointError(f"{path}: refused, it holds {path.stat().st_size} bytes and claims to be {claimed}")


def read_file(path: Path, key: str = "ckpt") -> dict[str, Any]:
    """Return the dictionary that a checkpoint file holds: plain data and tensors.

    Args:
        path: the file.
        key: of the setting that names it, for messages.

    Raises:
        CheckpointError: there is no such file, or it is damaged, or it holds arbitrary objects.
    """
    if path.is_dir():
        raise CheckpointError(f"{key}: {path} is a folder; expected a file such as {path}/checkpoints/best.ckpt")
    if not path.is_file():
        raise CheckpointError(f"{key}: no such file: {path}")
    _refuse_packed(path)
    try:
        with torch.serialization.safe_globals(_numbers()):
            raw = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "Unsupported" in str(error) or "Weights only" in str(error):
            raise CheckpointError(
                f"{path}: refused, it is no file of plain tensors: it holds other objects or is damaged, and "
                "loading it could run code"
            ) from None
        raise CheckpointError(f"{path}: not a checkpoint ({error})") from None
    except Exception as error:  # noqa: BLE001  the reader meets bytes of any kind; nothing of them is executed
        reason = (str(error).splitlines() or [""])[0]
        raise CheckpointError(f"{path}: damaged or not a checkpoint ({type(error).__name__}: {reason})") from None
    if not isinstance(raw, dict):
        raise CheckpointError(f"{path}: expected a dictionary in it, found {type(raw).__name__}")
    return raw
