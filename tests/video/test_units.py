"""Whether a packet holds a picture; what is damaged counts as one."""

import pytest

from zoomvqa.video.units import picture_test, units

H264_SETS = (b"\x67\x42\x80\x1e", b"\x68\xcb\x8d\x48")
HEVC_SETS = (b"\x40\x01\x0c", b"\x42\x01\x01", b"\x44\x01\xc1")


def started(*found: bytes) -> bytes:
    return b"".join(b"\0\0\0\1" + unit for unit in found)


def sized(*found: bytes) -> bytes:
    return b"".join(len(unit).to_bytes(2, "big") + unit for unit in found)


@pytest.mark.parametrize(
    ("codec", "found", "expected"),
    [
        ("h264", [b"\x09\x30"], False),
        ("h264", [*H264_SETS, b"\x06\x05\x01"], False),
        ("h264", [b"\x0a"], False),
        ("h264", [*H264_SETS, b"\x65\x88\x84"], True),
        ("h264", [b"\x09\x9a\x02\x05\x81"], True),  # a picture whose kind is wrong by a bit
        ("h264", [H264_SETS[0]], True),
        ("h264", [b"\x89\x30"], True),
        ("hevc", [b"\x46\x01\x50"], False),
        ("hevc", [*HEVC_SETS, b"\x4e\x01\x05"], False),
        ("hevc", [*HEVC_SETS, b"\x26\x01\xaf"], True),
        ("hevc", [HEVC_SETS[1]], True),
        ("vp9", [b"\x09\x30"], True),
    ],
)
def test_whether_a_packet_holds_a_picture(codec, found, expected):
    record = bytes([1]) + bytes(3) + b"\x01" + bytes(16) + b"\x01"
    assert picture_test(codec, b"")(memoryview(started(*found))) is expected
    assert picture_test(codec, record)(memoryview(sized(*found))) is expected


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("record", [b"", b"\x01" + bytes(24)])
def test_nonsense_counts_as_a_picture(codec, record):
    for data in (b"", b"\x01", bytes(50), b"\xff" * 50, b"\0\0\1", bytes(range(256))):
        assert picture_test(codec, record)(data)


def test_a_unit_longer_than_its_packet_counts_as_a_picture():
    record = b"\x01" + bytes(3) + b"\x03"
    assert not picture_test("h264", record)(b"\0\0\0\x03\x06\x05\x01")
    assert picture_test("h264", record)(b"\0\0\0\x04\x06\x05\x01")
    assert picture_test("h264", record)(b"\0\0\0\x02\x06\x05\x01")


def test_units():
    found = [*H264_SETS, b"\x65\x88"]
    assert list(units(started(*found), 0)) == list(units(sized(*found), 2)) == found
