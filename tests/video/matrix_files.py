"""The files of the reader matrix: every way of coding in every container, and what may be odd about a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from matrix import Made
from matrix_edits import begun_late, clap, pixel_crop, short_edit, twice
from matrix_sources import PIXELS, SIZES

# Ending and options of each kind of container.
CONTAINERS: dict[str, tuple[str, tuple[str, ...]]] = {
    **{ending: (ending, ()) for ending in ("3gp", "avi", "f4v", "flv", "m2ts", "mkv", "mov", "mp4", "webm")},
    **{ending: (ending, ()) for ending in ("asf", "ivf", "mpg", "mxf", "nut", "ogv", "ts", "vob", "wmv")},
    **{ending: (ending, ()) for ending in ("apng", "gif", "h264", "hevc", "m4v")},
    "fragmented": ("mp4", ("-movflags", "frag_keyframe+empty_moov")),
    "dash": ("mp4", ("-movflags", "frag_every_frame+empty_moov+default_base_moof")),
    "cmaf": ("mp4", ("-movflags", "cmaf", "-frag_duration", "500000")),
    "no_edit_list": ("mp4", ("-use_editlist", "0")),
    "negative_cts": ("mp4", ("-movflags", "negative_cts_offsets")),
}
_MP4 = "mp4 mov fragmented dash cmaf no_edit_list negative_cts"
_H264 = f"{_MP4} 3gp f4v mkv avi flv ts m2ts nut asf h264"
_HEVC = f"{_MP4} mkv flv ts m2ts nut hevc"
_VP9 = "webm mkv mp4 fragmented ivf nut"
_MPEG4 = "avi mp4 mov fragmented no_edit_list 3gp mkv nut"
# The containers that each codec is put into.
FITS: dict[str, str] = {
    "h264_bf0": f"{_H264} mxf", "h264_bf2": "mp4 fragmented no_edit_list mkv flv avi ts", "h264_bf3": _H264,
    "h264_open": "mp4 fragmented no_edit_list mkv flv ts nut", "h264_one_gop": "mp4 fragmented mkv flv",
    "h264_interlaced": "mp4 fragmented mkv ts", "h264_320": "mp4 fragmented no_edit_list mkv flv ts",
    "hevc_bf0": "mp4 fragmented mkv ts", "hevc_bf3": _HEVC, "hevc_open": _HEVC,
    "vp8": "webm mkv avi ivf nut", "vp8_alt": "webm mkv avi ivf nut", "vp9": _VP9, "vp9_alt": _VP9,
    "av1": "mp4 fragmented mkv webm ivf",
    "mpeg4_bf0": _MPEG4, "mpeg4_bf2": f"{_MPEG4} m4v", "mpeg4_xvid": "avi mp4",
    "mpeg4_not_coded": "avi mp4 mkv nut", "mpeg4_packed": "avi mp4 mov",
    "mpeg2_bf0": "mpg ts mkv", "mpeg2_bf2": "mpg vob ts m2ts mxf mkv mp4 mov nut avi",
    "mpeg2_interlaced": "mpg ts mkv", "mpeg1": "mpg ts",
    "mjpeg": "avi mov mkv nut", "prores": "mov mkv nut", "ffv1": "mkv avi mov nut", "dnxhd": "mov mxf mkv",
    "theora": "ogv mkv nut", "wmv2": "wmv asf avi mkv", "msmpeg4": "avi mkv", "flv1": "flv mkv", "h263": "3gp mov",
    "huffyuv": "avi mkv", "utvideo": "avi mkv", "raw_420": "avi nut mkv", "gif": "gif", "apng": "apng",
}  # fmt: skip
_MATRICES = {
    1: "bt709",
    2: "none",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020",
}
# New times, where a frame stays {0} units of the source's time base. Frames keep their order.
_ODD_TIMES = {
    "variable": r"TS+floor(TS/{0}/5)*{0}*2",
    "gap": r"TS+gte(TS\,{0}*9)*{0}*40",
    "starts_at_5": r"TS+{0}*125",
}


def _in(kind: str, name: str, source: str, more: Made | None = None) -> tuple[str, Made]:
    """Return a file's name and how it is made in a kind of container, with what `more` asks for."""
    ending, options = CONTAINERS[kind]
    more = more or Made(source)
    full = f"{name}.{kind}" if kind == ending else f"{name}.{kind}.{ending}"
    return full, more._replace(source=source, after=(*more.after, *options))


def _contained(codecs: Iterable[str], without: str = "") -> dict[str, Made]:
    left_out = set(without.split())
    return dict(
        _in(kind, codec, codec) for codec in codecs for kind in FITS[codec].split() if kind not in left_out
    )


def _varied(kinds: str, sources: str, variants: dict[str, Made]) -> dict[str, Made]:
    """Return each variant of each source in each kind of container."""
    return dict(
        _in(kind, f"{source}.{name}", source, more)
        for name, more in variants.items()
        for source in sources.split()
        for kind in kinds.split()
    )


def _made(*after: str, before: tuple[str, ...] = (), **more: Any) -> Made:
    return Made("", after, before)._replace(**more)


CUTS = {
    "cut": _made(before=("-ss", "0.6")),
    "cut_end": _made("-t", "0.7"),
    "cut_both": _made("-t", "0.5", before=("-ss", "0.6")),
}
PARTS = {"one": _made("-frames:v", "1"), "two": _made("-frames:v", "2"), "three": _made("-frames:v", "3")}
DELAYS = {
    "delayed": _made(before=("-itsoffset", "0.7")),
    "delayed_sound": _made(before=("-itsoffset", "0.7"), sound=True),
    "early_sound": _made(before=("-itsoffset", "-0.7"), sound=True),
    "sound": _made(sound=True),
    "offset": _made("-output_ts_offset", "5"),
}
NO_KEY = {"no_key": _made("-bsf:v", r"noise=drop=lt(n\,5)"), "late_key": _made("-bsf:v", r"noise=drop=lt(n\,1)")}
TURNS = {
    **{f"turn{angle}": _made(before=("-display_rotation", str(angle))) for angle in (90, 180, 270)},
    "mirror": _made(before=("-display_hflip",)),
    "turn_mirror": _made(before=("-display_rotation", "90", "-display_hflip")),
}


def _timed(frame: int) -> dict[str, Made]:
    """Return odd times, where a frame stays `frame` units of the source's time base."""
    rules = {name: rule.format(frame) for name, rule in _ODD_TIMES.items()}
    found = {
        name: _made("-bsf:v", f"setts=pts={rule.replace('TS', 'PTS')}:dts={rule.replace('TS', 'DTS')}")
        for name, rule in rules.items()
    }
    found["equal"] = _made("-bsf:v", f"setts=pts=floor(PTS/{2 * frame})*{2 * frame}:dts=DTS")
    found["of_decoding"] = _made("-bsf:v", "setts=pts=DTS:dts=DTS")
    return found


NEGATIVE = {
    name: _made("-avoid_negative_ts", "disabled", "-bsf:v", f"setts=pts=PTS-{units}:dts=DTS-{units}")
    for name, units in (("negative", 7 * 512), ("negative_dts", 512))
}


def _coloured() -> dict[str, Made]:
    bits = {name: f"matrix_coefficients={number}" for number, name in _MATRICES.items()}
    bits |= {"full": "video_full_range_flag=1", "full_709": "matrix_coefficients=1:video_full_range_flag=1"}
    bits |= {"sar": "sample_aspect_ratio=4/3", "cropped": "crop_left=8:crop_bottom=6"}
    found: dict[str, Made] = {}
    for codec, kind in (("h264", "mp4"), ("hevc", "mkv")):
        variants = {name: _made("-bsf:v", f"{codec}_metadata={text}") for name, text in bits.items()}
        found |= _varied(kind, f"{codec}_bf0", variants)
    return found


def _odd() -> dict[str, Made]:
    """Return what only one kind of file has."""
    split = _made("-bsf:v", "vp9_superframe_split")
    aperture = ("-movflags", "+write_colr", "-color_primaries", "bt709", "-aspect", "16:9")
    return {
        **_varied("mp4 mov", "h264_bf0 h264_bf3 hevc_bf3", {"short_edit": _made(edit=short_edit(0.8))}),
        **_varied("mp4", "h264_bf3 mpeg4_bf2", {"shortest_edit": _made(edit=short_edit(0.2))}),
        **_varied("mp4", "h264_bf0 hevc_bf3", {"clap": _made(*aperture, edit=clap(128, 80))}),
        **_varied("mkv", "h264_bf0 h264_bf3 vp9 ffv1", {"crop": _made("-aspect", "2:1", edit=pixel_crop)}),
        **_varied("webm mkv", "vp9_alt", {"split": split}),
        **_varied("avi mp4", "mpeg4_packed", {"unpacked": _made("-bsf:v", "mpeg4_unpack_bframes")}),
        **_varied("ts", "h264_bf3 h264_open hevc_open mpeg2_bf2", {"begun": _made(edit=begun_late(0.4))}),
        **_varied("ts", "h264_bf0 h264_bf3 mpeg2_bf2", {"joined": _made(edit=twice)}),
        **_varied("mpg", "mpeg2_bf2 mpeg2_bf0 mpeg1", {"joined": _made(edit=twice)}),
    }


_OF_X264_AND_X265 = " ".join(name for name in PIXELS if name.startswith(("h264", "hevc")))
_IN_MATROSKA = " ".join(n for n in PIXELS | SIZES if not n.startswith(("raw", "mpeg", "qtrle")))
_AS_STORED = {"in": _made()}

QUICK: dict[str, Made] = {
    **_contained(["h264_bf3"]),
    **_contained(FITS, without="mov dash cmaf negative_cts 3gp f4v m2ts vob nut ivf"),
    **{f"{name}.{how.ending}": Made(name) for name, how in (PIXELS | SIZES).items()},
    **_coloured(),
    **_odd(),
    **_varied("mp4", "h264_bf3", CUTS | DELAYS),
    **_varied("mkv", "h264_open hevc_open", CUTS),
    **_varied("flv", "h264_bf3", PARTS | DELAYS),
    **_varied("mp4 mkv ts", "h264_bf3", NO_KEY),
    **_varied("mp4 mkv", "h264_bf3", TURNS),
    **_varied("mp4 mkv", "h264_bf3", _timed(512) | NEGATIVE),
}
# What is not in QUICK, too.
SLOW: dict[str, Made] = {
    **_contained(FITS),
    **_varied("mp4 fragmented no_edit_list mkv flv nut", "h264_bf3 h264_open", CUTS | PARTS | DELAYS),
    **_varied("mp4 mov mkv flv avi", "h264_bf0", CUTS | PARTS | DELAYS),
    **_varied("mp4 fragmented mkv ts", "hevc_bf3 hevc_open", CUTS | PARTS | DELAYS),
    **_varied("mp4 mov avi", "mpeg4_bf0 mpeg4_bf2 mpeg4_packed", CUTS | PARTS),
    **_varied("mp4 mkv webm", "vp9 vp9_alt", CUTS | PARTS | DELAYS),
    **_varied("mkv webm", "vp8 vp8_alt", CUTS | PARTS | DELAYS),
    **_varied("ts mpg vob mkv mxf", "mpeg2_bf2", CUTS | PARTS),
    **_varied("mkv mov avi", "mjpeg", CUTS | PARTS | _timed(1)),
    **_varied("mov fragmented", "h264_bf0 hevc_bf3", TURNS),
    **_varied("mp4 mov fragmented no_edit_list mkv flv ts", "h264_bf0 hevc_bf3 h264_open", _timed(512) | NO_KEY),
    **_varied("mov fragmented no_edit_list mkv", "hevc_bf3 h264_open", NEGATIVE),
    **_varied("mp4 mkv webm", "vp9", _timed(40) | NO_KEY),
    **_varied("fragmented no_edit_list mov", _OF_X264_AND_X265, _AS_STORED),
    **_varied("mkv", _IN_MATROSKA, _AS_STORED),
}
FILES: dict[str, Made] = QUICK | SLOW
