"""What is an address, and what is a path; it takes none of the packages that fetch."""

from __future__ import annotations

import re

# One letter is a drive of Windows.
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)


def scheme_of(location: str) -> str:
    """Return the scheme of an address in lower case, `s3` of `s3://bucket/video.mp4`; empty for a path."""
    found = _SCHEME.match(location)
    return found[1].lower() if found else ""


def is_remote(location: str) -> bool:
    """Tell whether a location is an address, `s3://bucket/video.mp4`, and no path; `file://` is an address too."""
    return bool(scheme_of(location))
