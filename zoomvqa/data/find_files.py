"""The files that the names in an annotation mean, wherever under the root they lie."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from zoomvqa.errors import AnnotationError

VIDEO_ENDINGS = frozenset(
    f".{ending}"
    for ending in (
        *("mp4", "m4v", "mov", "qt", "f4v", "3gp", "3g2", "mj2", "mkv", "mk3d", "webm", "avi", "divx", "flv"),
        *("mpg", "mpeg", "mpe", "m1v", "m2v", "mpv", "m2p", "vob", "vro", "evo", "tod"),
        *("ts", "m2ts", "m2t", "mts", "tp", "trp", "wtv"),
        *("wmv", "wm", "asf", "dvr-ms", "rm", "rmvb", "ogv", "ogm", "mxf", "gxf", "lxf", "nut", "nuv", "dv"),
        *("dif", "swf", "amv", "roq", "nsv", "gif", "apng", "y4m", "yuv", "ivf", "obu"),
        *("h261", "h263", "h264", "264", "avc", "h265", "265", "hevc", "vc1", "cavs", "mjpeg", "mjpg"),
    )
)
# What lies beside videos and is none, so that nobody misses it.
_OTHERS = frozenset(
    f".{ending}"
    for ending in (
        *("txt", "lst", "list", "csv", "tsv", "json", "jsonl", "xml", "yaml", "yml", "toml", "ini", "cfg", "log"),
        *("md", "rst", "html", "htm", "pdf", "doc", "docx", "xls", "xlsx", "ods", "mat", "parquet", "sqlite"),
        *("db", "py", "m", "sh", "bat", "srt", "ass", "vtt", "nfo", "md5", "sha1", "sha256", "part"),
    )
)
# So many missing names are told; a set has thousands.
_TOLD = 20
# And so much of each.
_LONG = 200
# Endings that are left out are told so far.
_ENDINGS_TOLD = 8
MISSING = "no such file under the root"


def find_files(
    names: Sequence[str], root: Path, endings: Sequence[str] = (), *, frames: bool = False
) -> list[Path]:
    """Return the file, or the folder of frames, that each name means.

    A name is looked for as it stands under the root; then without its folders; then, for videos, anywhere below
    the root: there the file whose path shares most with the name, which must be the only such one. An ending
    that the annotation left out is added.

    Args:
        names: as the annotation has them, folders and all.
        root: the folder.
        endings: what files may have after the name and before their own ending, such as `_crf_10`.
        frames: look for folders of extracted frames.

    Raises:
        AnnotationError: the root is no folder, files are missing or not told apart, or two names mean one file.
    """
    if not root.is_dir():
        raise AnnotationError(f"data.root is not a folder: {root}")
    looked = look_for(names, root, endings, frames=frames)
    if doubtful := [found for found in looked if isinstance(found, str) and found != MISSING]:
        raise AnnotationError(doubtful[0])
    found = [path for path in looked if isinstance(path, Path)]
    if missing := [name for name, path in zip(names, looked, strict=True) if path == MISSING]:
        more = f"\n  … and {len(missing) - _TOLD} more" if len(missing) > _TOLD else ""
        told = "\n  ".join(name if len(name) <= _LONG else f"{name[:_LONG]}…" for name in missing[:_TOLD])
        raise AnnotationError(f"{len(missing)} of {len(names)} videos are not under {root}:\n  {told}{more}")
    if shared := [str(path) for path, times in Counter(found).items() if times > 1]:
        raise AnnotationError(f"{len(shared)} files are meant by more than one row: {', '.join(sorted(shared))}")
    return found


def look_for(
    names: Sequence[str], root: Path, endings: Sequence[str] = (), *, frames: bool = False
) -> list[Path | str]:
    """Return what `find_files` would for each name, or in one sentence why there is none: `MISSING`, or doubt."""
    looked: list[Path | str] = []
    listings: dict[Path, set[str]] = {}
    tree = None
    for name in names:
        path: Path | str | None = (
            _frame_folder(root, name) if frames else _video_file(root, name, endings, listings)
        )
        if path is None and not frames:
            tree = tree if tree is not None else _tree(root)
            path = _below(tree, root, name, endings)
        looked.append(MISSING if path is None else path)
    return looked


def _parts(name: str) -> list[str]:
    return [p for p in re.split(r"[\\/]", name) if p not in {"", ".", ".."}]


def _video_file(root: Path, name: str, endings: Iterable[str], listings: dict[Path, set[str]]) -> Path | None:
    """Return the file of a name as it stands under the root, or there without its folders.

    Args:
        root: the folder.
        name: as the annotation has it.
        endings: see `find_files`.
        listings: what folders hold, each read once: a million looks at a network's disk take minutes.
    """
    parts = _parts(name)
    if not parts:
        return None
    # The name as it stands, then without its folders; then the same with an ending the annotation left out.
    for tail in dict.fromkeys(("/".join(parts), parts[-1])):
        exact = root / tail
        held = _held(exact.parent, listings)
        if exact.name in held and _is_file(exact):
            return exact
        for between in ("", *endings):
            for ending in sorted(VIDEO_ENDINGS):
                longer = exact.name + between + ending
                if longer in held and _is_file(exact.with_name(longer)):
                    return exact.with_name(longer)
    return None


def _held(folder: Path, listings: dict[Path, set[str]]) -> set[str]:
    if folder not in listings:
        try:
            listings[folder] = set(os.listdir(folder))  # noqa: PTH208  names are enough
        except (OSError, ValueError):  # there is no such folder, or no folder can have such a name
            listings[folder] = set()
    return listings[folder]


def _is_file(path: Path) -> bool:
    """Tell whether there is such a file; a name that no file can have is none."""
    return os.path.isfile(path)  # noqa: PTH113  pathlib raises for names that are too long


def _tree(root: Path) -> dict[str, list[Path]]:
    """Return the files below a folder by their names, with and without their ending, in lower case."""
    found: dict[str, list[Path]] = defaultdict(list)
    seen: set[tuple[int, int]] = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        about = os.stat(folder)  # noqa: PTH116  of many
        if (about.st_dev, about.st_ino) in seen:  # a link to a folder above
            folders.clear()
            continue
        seen.add((about.st_dev, about.st_ino))
        for file in files:
            path = Path(folder, file)
            if path.suffix.lower() in VIDEO_ENDINGS:
                found[file.lower()].append(path)
                found[path.stem.lower()].append(path)
            else:
                found[file.lower()].append(path)  # for a name that has this very ending
    return found


def left_out(folder: Path, above: Path | None = None) -> str:
    """Return a sentence on the files below a folder whose endings are no video's; empty where nobody misses any.

    Hidden files, and those that are plainly no videos, such as tables, are not counted.

    Args:
        folder: where to look; links to folders are not followed.
        above: a folder that is left out.
    """
    counts: Counter[str] = Counter()
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if above is None or Path(place, name) != above]
        endings = (Path(name).suffix.lower() for name in files if not name.startswith("."))
        counts.update(ending or "no ending" for ending in endings if ending not in VIDEO_ENDINGS | _OTHERS)
    if not counts:
        return ""
    told = ", ".join(f"{count} {ending}" for ending, count in counts.most_common(_ENDINGS_TOLD))
    more = "" if len(counts) <= _ENDINGS_TOLD else ", …"
    return f"{counts.total()} files below {folder} have no ending of a video and are left out ({told}{more})"


def _below(tree: dict[str, list[Path]], root: Path, name: str, endings: Iterable[str]) -> Path | str | None:
    parts = _parts(name)
    if not parts:
        return None
    last, stem = parts[-1].lower(), Path(parts[-1].lower())
    names = [last, *(f"{last}{between.lower()}" for between in endings)]
    if stem.suffix in VIDEO_ENDINGS:  # the same video in another container
        names.append(stem.stem)
    for last in names:
        candidates = [path for path in tree.get(last, []) if _is_file(path)]  # no pipe, nor a link to nowhere
        if candidates:
            return _most_alike(candidates, root, parts, name)
    return None


def _most_alike(candidates: Sequence[Path], root: Path, parts: Sequence[str], name: str) -> Path | str:
    """Return the candidate whose folders end most like those of the name, or a sentence where several do."""

    def shared(path: Path) -> int:
        folders = [p.lower() for p in path.relative_to(root).parts[:-1]]
        wanted = [p.lower() for p in parts[:-1]]
        pairs = zip(reversed(folders), reversed(wanted), strict=False)
        return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(folders), len(wanted)))

    best = max(map(shared, candidates))
    chosen = [path for path in candidates if shared(path) == best]
    if len(chosen) > 1:
        told = ", ".join(str(path.relative_to(root)) for path in sorted(chosen)[:3])
        return f"{name}: several files may be meant: {told}; name it with its folder"
    return chosen[0]


def _frame_folder(root: Path, name: str) -> Path | None:
    parts = _parts(name)
    for tail in ("/".join(parts), parts[-1], Path(parts[-1]).stem) if parts else ():
        if os.path.isdir(root / tail):  # noqa: PTH112  see _is_file
            return root / tail
    return None
