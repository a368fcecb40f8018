"""Files for the choice of frames at a rate: many frame rates, containers, B frames, sound and starts."""

from __future__ import annotations

import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import imageio_ffmpeg
from matrix import Encode, Made

from zoomvqa.video.rate import frames_at_rate
from zoomvqa.video.timeline import Timeline

RATES = {"10": "10", "12.5": "25/2", "15": "15", "23.976": "24000/1001", "24": "24", "25": "25",
         "29.97": "30000/1001", "30": "30", "50": "50", "59.94": "60000/1001", "60": "60"}  # fmt: skip
WANTED = ("1", "2", "3", "5")
_SECONDS = Fraction("2.6")
_X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-threads", "1", "-b_strategy", "0")
_VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8")
_MPEG4 = ("-c:v", "mpeg4", "-q:v", "5")
# Variable rates: which of 30 frames a second are there.
_KEPT = {
    "thinned": r"not(mod(n\,3))+lt(mod(n\,50)\,20)",
    "gap": r"lt(n\,20)+gt(n\,60)",
    "squares": r"not(mod(n*n\,7))",
    "few": r"not(mod(n\,12))",
}


def _encodes() -> dict[str, Encode]:
    found = {}
    for name, rate in RATES.items():
        frames = round(Fraction(rate) * _SECONDS)
        for b_frames in ("0", "2"):
            h264, mpeg2 = (*_X264, "-bf", b_frames), ("-c:v", "mpeg2video", "-q:v", "5", "-bf", b_frames)
            found[f"{name}.b{b_frames}"] = Encode(h264, "mp4", "128x96", frames, rate)
            if Fraction(rate) > 23:  # MPEG-2 has no others
                found[f"{name}.mpeg2.b{b_frames}"] = Encode(mpeg2, "ts", "128x96", frames, rate)
        found[f"{name}.vp8"] = Encode(_VP8, "webm", "128x96", frames, rate)
        found[f"{name}.mpeg4"] = Encode(_MPEG4, "avi", "128x96", frames, rate)
        found[f"{name}.mpeg4.b2"] = Encode((*_MPEG4, "-bf", "2"), "avi", "128x96", frames, rate)
    for name, kept in _KEPT.items():
        some = ("-vf", f"select={kept}", "-fps_mode", "vfr", "-enc_time_base", "1/90000")
        for b_frames in ("0", "2"):
            found[f"{name}.b{b_frames}"] = Encode((*some, *_X264, "-bf", b_frames), "mkv", "128x96", 40, "30")
    return found


SOURCES = _encodes()
_STARTS = {
    "": Made(""),
    ".sound": Made("", sound=True),
    ".later": Made("", before=("-itsoffset", "0.7")),
    ".later_sound": Made("", before=("-itsoffset", "0.7"), sound=True),
    ".earlier": Made("", before=("-itsoffset", "-0.33"), sound=True),
    ".at_5": Made("", before=("-itsoffset", "5.123")),
}


def _copies(sources: list[str], endings: str, starts: list[str]) -> dict[str, Made]:
    return {
        f"{source}{start}.{ending}": _STARTS[start]._replace(source=source)
        for source in sources
        for ending in endings.split()
        for start in starts
    }


def _sources(*words: str, without: str = "") -> list[str]:
    return [n for n in SOURCES if any(word in n for word in words) and not (without and without in n)]


_CONSTANT = [name for name in _sources(".b0", ".b2", without="mpeg") if name[0].isdigit()]
_VARIABLE = [name for name in SOURCES if not name[0].isdigit()]
_ALL = "mp4 mkv mov avi flv ts"
QUICK: dict[str, Made] = {
    **_copies(["10.b2", "29.97.b2", "60.b2"], _ALL, ["", ".sound"]),
    **_copies(["25.b0", "25.b2"], "mp4 avi ts", list(_STARTS)),
    **_copies(["25.mpeg2.b2", "59.94.mpeg2.b2"], "mpg ts", ["", ".sound"]),
    **_copies(["24.mpeg4", "24.mpeg4.b2"], "avi", [""]),
    **_copies(["25.vp8"], "webm", [""]),
    **_copies(["50.b2"], "h264", [""]),
    **_copies(["50.mpeg2.b2"], "m2v", [""]),
    **_copies(["thinned.b2", "gap.b2", "squares.b2", "few.b0"], "mp4 mkv flv ts", [""]),
}
SLOW: dict[str, Made] = {
    **_copies(_CONSTANT, _ALL, ["", ".sound"]),
    **_copies([name for name in _CONSTANT if name.startswith(("24.", "29.97", "60"))], _ALL, list(_STARTS)),
    **_copies(_sources("mpeg2"), "mpg ts mkv vob", ["", ".sound"]),
    **_copies(_sources("mpeg4"), "avi", [""]),
    **_copies(_sources("vp8"), "webm mkv", [""]),
    **_copies(_VARIABLE, "mp4 mkv mov flv ts nut", [""]),
}
FILES: dict[str, Made] = QUICK | SLOW


class Written(NamedTuple):
    """The checksums of pictures that ffmpeg writes of a file: every frame, and those of each rate."""

    every: list[str]
    at: dict[str, list[str]]

    def unlike(self, timeline: Timeline) -> dict[str, tuple[list[int], list[int]]]:
        """Return for each rate at which other frames are chosen than ffmpeg's: ours, and its."""
        found = {}
        for rate, theirs in self.at.items():
            ours = frames_at_rate(timeline, float(Fraction(rate)))
            if [self.every[index] if index < len(self.every) else "" for index in ours] != theirs:
                found[rate] = (ours, [self.every.index(each) for each in theirs])
        return found


def written(path: Path, rates: tuple[str, ...] = WANTED) -> Written:
    """Let ffmpeg write the frames of a file, all of them and at some rates."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-i", str(path)]
    with tempfile.TemporaryDirectory() as folder:
        outputs = [Path(folder, str(number)) for number in range(len(rates) + 1)]
        for output, how in zip(
            outputs, [("-fps_mode", "passthrough"), *(("-r", rate) for rate in rates)], strict=True
        ):
            command += ["-an", *how, "-noautoscale", "-pix_fmt", "rgb24", "-f", "framemd5", str(output)]
        subprocess.run(command, check=True, capture_output=True)
        every, *chosen = (_sums(output.read_text()) for output in outputs)
    return Written(every, dict(zip(rates, chosen, strict=True)))


def _sums(text: str) -> list[str]:
    return [line.split(",")[-1].strip() for line in text.splitlines() if line and line[0] != "#"]
