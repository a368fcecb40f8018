"""Headers that tell a picture's size, found without decoding."""

import pytest
from conftest import Make

from zoomvqa.video.container import open_container
from zoomvqa.video.parameters import ParameterWatch

VPX = ("-deadline", "realtime", "-cpu-used", "8")
SOUND = {
    "a.mp4": ("-c:v", "libx264", "-preset", "ultrafast", "-g", "5"),
    "repeated.ts": ("-c:v", "libx264", "-preset", "ultrafast", "-g", "5"),
    "hevc.mp4": ("-c:v", "libx265", "-x265-params", "log-level=none:keyint=5", "-preset", "ultrafast"),
    "repeated.mkv": ("-c:v", "libx265", "-x265-params", "log-level=none:keyint=5:repeat-headers=1"),
    "a.webm": ("-c:v", "libvpx-vp9", *VPX, "-g", "5"),
    "profile1.webm": ("-c:v", "libvpx-vp9", *VPX, "-pix_fmt", "yuv444p", "-g", "5"),
    "profile2.webm": ("-c:v", "libvpx-vp9", *VPX, "-pix_fmt", "yuv420p10le", "-g", "5"),
    "vp8.webm": ("-c:v", "libvpx", *VPX, "-g", "5"),
    "a.avi": ("-c:v", "mjpeg"),
    "m4v.avi": ("-c:v", "mpeg4", "-g", "5"),
    "mpeg2.mkv": ("-c:v", "mpeg2video", "-g", "5"),
}


def packets(path):
    with open_container(path) as container:
        stream = container.streams.video[0]
        found = [(bytes(p), p.is_keyframe) for p in container.demux(stream) if p.size]
        return stream.codec_context.name, stream.codec_context.extradata or b"", found


@pytest.mark.parametrize("name", SOUND)
def test_nothing_changes_in_a_sound_file(make_video: Make, name):
    codec, extradata, found = packets(make_video(f"params_{name}", frames=12, codec=SOUND[name]))
    _, _, others = packets(make_video(f"others_{name}", size="192x144", frames=2, codec=SOUND[name]))
    watch = ParameterWatch(codec, extradata)
    for data, is_key in found:
        watch.see(data, is_key)
    assert not watch.changed
    if name.startswith(("a.mp4", "hevc")):  # whose packets hold no header
        return
    for data, is_key in others:
        watch.see(data, is_key)
    assert watch.changed


def test_a_vp9_picture_that_changes_its_size_between_keyframes(make_video: Make):
    codec, _, found = packets(make_video("params_a.webm", frames=12, codec=SOUND["a.webm"]))
    watch = ParameterWatch(codec, b"")
    watch.see(found[0][0], found[0][1])
    # marker 10, profile 00, no repeat 0, inter 1, shown 1, resilient 1, refresh 8 bits, three references of
    # 4 bits, as large as none of them 000, then width and height less one.
    bits = "10000111" + "0" * 8 + "0" * 12 + "000" + f"{79:016b}{47:016b}"
    data = int(bits.ljust(80, "0"), 2).to_bytes(10, "big")
    watch.see(data, is_keyframe=False)
    assert watch.changed


@pytest.mark.parametrize("codec", ["h264", "hevc", "mpeg4", "mpeg2video", "vp8", "vp9", "mjpeg", "prores", ""])
def test_nonsense_is_passed_over(codec):
    watch = ParameterWatch(codec, b"\x01")
    for data in (b"", b"\x01", b"\xff" * 50, b"\x00\x00\x01", bytes(range(256))):
        watch.see(data, is_keyframe=True)
