"""What other libraries tell only in the text of their errors. A text that has changed costs a better message."""

from __future__ import annotations

import re
from collections.abc import Iterator


def unknown_home(error: Exception) -> bool:
    """Tell whether pathlib could not expand `~name`; without its text the error is raised as it is."""
    return isinstance(error, RuntimeError) and "home directory" in str(error)


def worker_s_line(error: Exception) -> str:
    """Return the message of an error of ours that may come out of a worker process, below a traceback.

    torch and Ray put the error's class and message last; a text of another form is returned by its last line.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return re.sub(r"^zoomvqa\.errors\.\w+: ", "", lines[-1]) if lines else type(error).__name__


def names_key(error: BaseException, key: str) -> bool:
    """Tell whether an error of Hydra or OmegaConf is about a key of the config.

    OmegaConf's errors have the key as an attribute, and are the cause of Hydra's; where there is none, the text
    decides, and where that does not name it, the error is told in Hydra's own words.

    Args:
        error: that composing a config raised.
        key: dotted.
    """
    last = key.rpartition(".")[2]
    named = {
        str(told)
        for each in _causes(error)
        for told in (getattr(each, "full_key", None), getattr(each, "key", None))
    }
    return bool({key, last} & named) or f"'{key}'" in str(error) or last in str(error)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
