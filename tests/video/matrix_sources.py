"""What the files of the reader matrix are copied from: one small encode for each way of coding."""

from __future__ import annotations

from matrix import Encode
from matrix_edits import not_coded, packed, remuxed

_SLICE = ("-threads", "1")


def _x264(*options: str, more: str = "", pixels: str = "yuv420p", encoder: str = "libx264") -> tuple[str, ...]:
    params = f"keyint=10:min-keyint=10:scenecut=0{more}"
    chosen = ("-c:v", encoder, "-preset", "veryfast", "-crf", "18", "-x264-params", params)
    return (*chosen, "-pix_fmt", pixels, *options, *_SLICE)


def _x265(*options: str, more: str = "", pixels: str = "yuv420p") -> tuple[str, ...]:
    params = f"log-level=none:pools=1:frame-threads=1:keyint=10:min-keyint=10:scenecut=0{more}"
    chosen = ("-c:v", "libx265", "-preset", "ultrafast", "-crf", "18", "-x265-params", params)
    return (*chosen, "-pix_fmt", pixels, *options)


def _vpx(encoder: str, *options: str, pixels: str = "yuv420p") -> tuple[str, ...]:
    speed = ("-deadline", "good", "-cpu-used", "5", "-crf", "20", "-b:v", "1M", "-g", "14")
    return ("-c:v", encoder, *speed, "-pix_fmt", pixels, *options, *_SLICE)


_PYRAMID = ("-bf", "3", "-b_strategy", "0", "-refs", "4")
_B3 = ":bframes=3:b-adapt=0"
_HIDES = ("-auto-alt-ref", "1", "-lag-in-frames", "16", "-b:v", "300k", "-crf", "-1")
_Q = ("-q:v", "3")

CODECS: dict[str, Encode] = {
    "h264_bf0": Encode(_x264("-bf", "0")),
    "h264_bf2": Encode(_x264("-bf", "2", "-b_strategy", "0", more=":b-pyramid=none")),
    "h264_bf3": Encode(_x264(*_PYRAMID)),
    "h264_open": Encode(_x264(*_PYRAMID, more=":open-gop=1")),
    "h264_one_gop": Encode(_x264(*_PYRAMID, more=":keyint=250")),
    "h264_interlaced": Encode(_x264(*_PYRAMID, "-flags", "+ildct+ilme")),
    "h264_320": Encode(_x264(*_PYRAMID), size="320x240", frames=60, rate="30"),
    "hevc_bf0": Encode(_x265(more=":bframes=0:open-gop=0")),
    "hevc_bf3": Encode(_x265(more=f"{_B3}:open-gop=0")),
    "hevc_open": Encode(_x265(more=f"{_B3}:open-gop=1")),
    "vp8": Encode(_vpx("libvpx", "-auto-alt-ref", "0"), "webm"),
    "vp8_alt": Encode(_vpx("libvpx", *_HIDES), "webm", passes=2),
    "vp9": Encode(_vpx("libvpx-vp9", "-auto-alt-ref", "0"), "webm"),
    "vp9_alt": Encode(_vpx("libvpx-vp9", *_HIDES), "webm", passes=2),
    "av1": Encode(("-c:v", "libsvtav1", "-preset", "12", "-crf", "25", "-g", "14", "-svtav1-params", "lp=1")),
    "mpeg4_bf0": Encode(("-c:v", "mpeg4", *_Q), "avi"),
    "mpeg4_bf2": Encode(("-c:v", "mpeg4", *_Q, "-bf", "2")),
    "mpeg4_xvid": Encode(("-c:v", "libxvid", *_Q, "-bf", "2"), "avi"),
    "mpeg4_not_coded": Encode(("-c:v", "mpeg4", *_Q), "avi", edit=remuxed(not_coded)),
    "mpeg4_packed": Encode(("-c:v", "mpeg4", *_Q, "-bf", "1", "-b_strategy", "0"), "avi", edit=remuxed(packed)),
    "mpeg2_bf0": Encode(("-c:v", "mpeg2video", *_Q), "ts"),
    "mpeg2_bf2": Encode(("-c:v", "mpeg2video", *_Q, "-bf", "2"), "ts"),
    "mpeg2_interlaced": Encode(("-c:v", "mpeg2video", *_Q, "-bf", "2", "-flags", "+ildct+ilme"), "ts"),
    "mpeg1": Encode(("-c:v", "mpeg1video", *_Q, "-bf", "2"), "mpg"),
    "mjpeg": Encode(("-c:v", "mjpeg", *_Q), "avi"),
    "prores": Encode(("-c:v", "prores_ks"), "mov"),
    "ffv1": Encode(("-c:v", "ffv1", "-pix_fmt", "yuv420p"), "mkv"),
    "dnxhd": Encode(("-c:v", "dnxhd", "-profile:v", "dnxhr_lb", "-pix_fmt", "yuv422p"), "mov", "256x128"),
    "theora": Encode(("-c:v", "libtheora", "-q:v", "8"), "ogv"),
    "wmv2": Encode(("-c:v", "wmv2", *_Q), "asf"),
    "msmpeg4": Encode(("-c:v", "msmpeg4", *_Q), "avi"),
    "flv1": Encode(("-c:v", "flv", *_Q), "flv"),
    "h263": Encode(("-c:v", "h263", *_Q), "3gp", "176x144"),
    "huffyuv": Encode(("-c:v", "huffyuv", "-pix_fmt", "yuv422p"), "avi", frames=12),
    "utvideo": Encode(("-c:v", "utvideo", "-pix_fmt", "yuv420p"), "avi", frames=12),
    "raw_420": Encode(("-c:v", "rawvideo", "-pix_fmt", "yuv420p"), "nut", frames=12),
    "gif": Encode((), "gif"),
    "apng": Encode((), "apng", frames=12),
}


def _pixels(codec: str, formats: str) -> dict[str, Encode]:
    """Return encodes of a codec in several pixel formats."""
    makers = {
        "h264": lambda pixels: _x264(*_PYRAMID, pixels=pixels),
        "rgb264": lambda pixels: _x264(*_PYRAMID, pixels=pixels, encoder="libx264rgb"),
        "hevc": lambda pixels: _x265(more=f"{_B3}:open-gop=0", pixels=pixels),
        "vp9": lambda pixels: _vpx("libvpx-vp9", pixels=pixels),
        "ffv1": lambda pixels: ("-c:v", "ffv1", "-pix_fmt", pixels),
        "png": lambda pixels: ("-c:v", "png", "-pix_fmt", pixels),
        "qtrle": lambda pixels: ("-c:v", "qtrle", "-pix_fmt", pixels),
        "prores": lambda pixels: ("-c:v", "prores_ks", "-pix_fmt", pixels),
        "mjpeg": lambda pixels: ("-c:v", "mjpeg", "-strict", "-1", *_Q, "-pix_fmt", pixels),
        "raw": lambda pixels: ("-c:v", "rawvideo", "-pix_fmt", pixels),
        "mpeg2": lambda pixels: ("-c:v", "mpeg2video", *_Q, "-bf", "2", "-pix_fmt", pixels),
    }
    endings = {"vp9": "webm", "ffv1": "mkv", "png": "mov", "qtrle": "mov", "prores": "mov", "mjpeg": "avi"}
    ending = {**endings, "raw": "nut", "mpeg2": "ts"}.get(codec, "mp4")
    return {f"{codec}_{pixels}": Encode(makers[codec](pixels), ending, frames=12) for pixels in formats.split()}


PIXELS: dict[str, Encode] = {
    **_pixels("h264", "yuvj420p yuv422p yuvj422p yuv444p yuvj444p gray yuv420p10le yuv422p10le yuv444p10le"),
    **_pixels("h264", "gray10le nv12"),
    **_pixels("rgb264", "rgb24"),
    **_pixels(
        "hevc", "yuvj420p yuv422p yuv444p gray yuv420p10le yuv422p10le yuv444p10le yuv420p12le gbrp gbrp10le"
    ),
    **_pixels("vp9", "yuv422p yuv440p yuv444p gbrp yuva420p"),
    **_pixels("ffv1", "yuv410p yuv411p yuv422p yuv444p gray bgr0"),
    **_pixels("ffv1", "yuv420p10le yuv422p10le yuv444p16le gray16le gbrp10le"),
    **_pixels("png", "rgb24 rgba pal8 gray rgb48be monob"),
    **_pixels("qtrle", "rgb24 argb rgb555be gray"),
    **_pixels("prores", "yuv422p10le yuv444p10le yuva444p10le"),
    **_pixels("mjpeg", "yuvj420p yuvj422p yuvj444p yuv420p"),
    **_pixels("raw", "bgr24 pal8 uyvy422 yuv422p gray"),
    **_pixels("mpeg2", "yuv422p"),
}


def _sizes(codec: str, options: tuple[str, ...], ending: str, sizes: str) -> dict[str, Encode]:
    return {f"{codec}_{size}": Encode(options, ending, size, frames=12) for size in sizes.split()}


SIZES: dict[str, Encode] = {
    **_sizes("h264", _x264(*_PYRAMID), "mp4", "130x98 126x96 128x96 96x160 16x16 64x48"),
    **_sizes("h264_444", _x264(*_PYRAMID, pixels="yuv444p"), "mp4", "161x97 131x99"),
    **_sizes("hevc", _x265(more=_B3), "mp4", "130x98 162x98"),
    **_sizes("vp8", _vpx("libvpx"), "webm", "161x97"),
    **_sizes("vp9", _vpx("libvpx-vp9"), "webm", "161x97 130x98"),
    **_sizes("mpeg4", ("-c:v", "mpeg4", *_Q, "-bf", "2"), "avi", "161x97 130x98"),
    **_sizes("mpeg2", ("-c:v", "mpeg2video", *_Q), "ts", "161x97"),
    **_sizes("mjpeg", ("-c:v", "mjpeg", *_Q), "avi", "161x97"),
    **_sizes("prores", ("-c:v", "prores_ks"), "mov", "161x97"),
    **_sizes("ffv1", ("-c:v", "ffv1", "-pix_fmt", "yuv420p"), "mkv", "161x97"),
    **_sizes("png", ("-c:v", "png"), "mov", "161x97"),
    **_sizes("wmv2", ("-c:v", "wmv2", *_Q), "asf", "161x97"),
    **_sizes("theora", ("-c:v", "libtheora", "-q:v", "8"), "ogv", "161x97"),
    **_sizes("av1", ("-c:v", "libsvtav1", "-preset", "12"), "mp4", "162x98"),
}

SOURCES: dict[str, Encode] = {**CODECS, **PIXELS, **SIZES}
