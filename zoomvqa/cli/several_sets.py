"""`data=[lsvq,konvid1k] data.root=/datasets`: several sets by name, each with its own keys under `data.sets`."""

from __future__ import annotations

import re
from pathlib import Path

# What names a test set of its own within the folder of a larger one.
_PART = re.compile(r"_(test|1080p)$")


def expand_sets(arguments: list[str]) -> list[str]:
    """Return a command line in which `data=[a,b]` is spelled out in Hydra's own terms.

    Each set becomes `data.sets.<name>` with the keys that `data=<name>` has; `data.root=FOLDER` then is the folder
    that holds a folder for each of them.
    """
    several = next((a for a in arguments if re.fullmatch(r"data=\[.*\]", a)), None)
    if several is None:
        return arguments
    names = [name.strip() for name in several[len("data=[") : -1].split(",") if name.strip()]
    root = next((a.partition("=")[2].strip("'\"") for a in arguments if a.startswith("data.root=")), None)
    given = {a.partition("=")[0] for a in arguments}
    made = ["data=mixed"]
    for name in dict.fromkeys(names):
        made += [f"+data@data.sets.{name}={name}", f"+data.weights.{name}=1.0"]
        if root is not None and name != "demo" and f"data.sets.{name}.root" not in given:
            made.append(f"data.sets.{name}.root={set_folder(Path(root).expanduser(), name)}")
    rest = [a for a in arguments if a != several and not a.startswith("data.root=")]
    return [*made, *rest]


def set_folder(root: Path, name: str) -> Path:
    """Return the folder of a set: however it is written (`KoNViD-1k`); of a test set that of the whole."""
    wanted = dict.fromkeys((_plain(name), _plain(_PART.sub("", name))))
    folders = sorted(f for f in root.iterdir() if f.is_dir()) if root.is_dir() else []
    return next((f for plain in wanted for f in folders if _plain(f.name) == plain), root / name)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
