"""Files that a command writes over: never one that it reads, and no file of somebody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from zoomvqa.errors import SettingsError


def refuse_inputs(outputs: Iterable[Path], key: str, inputs: Iterable[str | Path]) -> None:
    """Refuse to write over a file that the command reads, by whatever path or link it is named.

    Args:
        outputs: the files that are written.
        key: of the setting that names the inputs, for messages.
        inputs: files; those that are not there, and addresses, are passed over.

    Raises:
        SettingsError: an output is an input.
    """
    there = [path for path in outputs if _exists(path)]
    if not there:
        return
    for source in inputs:
        for path in there:
            if same_file(path, source):
                raise SettingsError(f"output: {path} is read by this command ({key}={source}); give another name")


def same_file(one: str | Path, other: str | Path) -> bool:
    """Tell whether two paths lead to the same file."""
    try:
        return Path(one).samefile(Path(other).expanduser())
    except (OSError, RuntimeError, ValueError):  # one is not there, or no file can have such a name
        return False


def refuse_foreign(path: Path, ours: Callable[[Path], bool], way: str) -> None:
    """Refuse to replace a file that this command did not write; an empty one holds nothing to lose.

    Args:
        path: of the output.
        ours: tells of a file whether the command has written it.
        way: what the user can do instead.

    Raises:
        SettingsError: the file is of somebody else.
    """
    if not _exists(path):
        return
    if path.is_dir():
        raise SettingsError(f"output: {path} is a folder, expected a file")
    if not path.is_file():  # a device or a pipe cannot be replaced by a whole file
        raise SettingsError(f"output: {path} is no ordinary file; give another name")
    if path.stat().st_size and not ours(path):
        raise SettingsError(f"output: {path} is there, and this command did not write it; {way}")


def refuse_foreign_folder(folder: Path, names: Sequence[str], ours: Callable[[Path], bool]) -> None:
    """Refuse to write into a folder that holds files of these names, unless the command has made it.

    Args:
        folder: the output.
        names: of the files and folders that are written into it.
        ours: tells of the folder whether the command has written into it before.

    Raises:
        SettingsError: the files are of somebody else.
    """
    there = [name for name in names if _exists(folder / name)]
    if there and not ours(folder):
        raise SettingsError(
            f"output: {folder} holds {there[0]}, which this command did not write; give another output"
        )


def begins_with(path: Path, line: str) -> bool:
    """Tell whether the first line of a text file is this one."""
    try:
        with path.open("rb") as handle:
            return handle.readline(len(line.encode()) + 2).rstrip(b"\r\n") == line.encode()
    except OSError:
        return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
