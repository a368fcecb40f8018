"""Picture files as videos of one frame."""

import struct
import zlib

import numpy as np
import pytest
from conftest import Make, ffmpeg
from PIL import Image
from truth import decoded

from zoomvqa.errors import VideoError
from zoomvqa.video.rate import frames_at_rate
from zoomvqa.views.store import PictureFolder, open_store

PIXELS = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def one_frame(path):
    store = open_store(path)
    assert (len(store.timeline), store.reader, store.note) == (1, "pillow", "")
    assert frames_at_rate(store.timeline, 2.0) == [0]
    frames = list(store.frames([0, 0]))
    np.testing.assert_array_equal(frames[0], frames[1])
    assert frames[0].shape == (store.timeline.height, store.timeline.width, 3)
    assert frames[0].dtype == np.uint8
    return frames[0]


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "a.bmp", "a.tif", "a.tiff", "lossless.webp"])
def test_lossless_kinds(tmp_path, name):
    Image.fromarray(PIXELS).save(tmp_path / name, lossless=True)
    np.testing.assert_array_equal(one_frame(tmp_path / name), PIXELS)


@pytest.mark.parametrize("name", ["a.jpg", "a.jpeg", "a.webp", "a.gif"])
def test_other_kinds(tmp_path, name):
    soft = Image.fromarray(PIXELS).resize((8, 6)).resize((64, 48), Image.Resampling.BICUBIC)
    soft.save(tmp_path / name)
    assert np.abs(one_frame(tmp_path / name).astype(int) - np.asarray(soft)).mean() < 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PIXELS).save(tmp_path / "a.png", exif=exif)
    turns = [lambda p: p, lambda p: p[:, ::-1], lambda p: p[::-1, ::-1], lambda p: p[::-1],
             lambda p: p.transpose(1, 0, 2), lambda p: np.rot90(p, -1),
             lambda p: p[::-1, ::-1].transpose(1, 0, 2), np.rot90]  # fmt: skip
    np.testing.assert_array_equal(one_frame(tmp_path / "a.png"), turns[orientation - 1](PIXELS))


def test_sixteen_bits(tmp_path):
    deep = np.linspace(0, 65535, 48 * 64).round().astype(np.uint16).reshape(48, 64)
    for name in ("a.png", "a.tif"):
        Image.fromarray(deep).save(tmp_path / name)
        grey = one_frame(tmp_path / name)
        assert np.ptp(grey, axis=2).max() == 0
        assert np.abs(grey[:, :, 0].astype(float) - deep / 257).max() <= 0.5
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48", "-frames:v", "1", "-pix_fmt", "rgb48be", tmp_path / "b.png")
    truth = decoded(tmp_path / "b.png", 48, 64)[0]
    assert np.abs(one_frame(tmp_path / "b.png").astype(int) - truth).max() <= 1


def test_palette_grey_one_bit_and_alpha(tmp_path):
    picture = Image.fromarray(PIXELS)
    for mode in ("P", "L", "1", "LA"):
        picture.convert(mode).save(tmp_path / f"{mode}.png")
        expected = np.asarray(picture.convert(mode).convert("RGB"))
        np.testing.assert_array_equal(one_frame(tmp_path / f"{mode}.png"), expected)
    clear = np.dstack([PIXELS, np.zeros((48, 64), np.uint8)])
    Image.fromarray(clear).save(tmp_path / "alpha.png")
    np.testing.assert_array_equal(one_frame(tmp_path / "alpha.png"), PIXELS)  # as ffmpeg, which leaves it out
    np.testing.assert_array_equal(decoded(tmp_path / "alpha.png", 48, 64)[0], PIXELS)


def test_cmyk(tmp_path):
    red = Image.new("RGB", (64, 48), (200, 30, 40))
    red.convert("CMYK").save(tmp_path / "a.jpg", quality=100)
    assert np.abs(one_frame(tmp_path / "a.jpg").astype(int) - np.asarray(red)).max() <= 6


def test_no_range_is_known(tmp_path):
    Image.fromarray(np.zeros((48, 64), np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(VideoError, match="of the kind F, whose range is not known"):
        next(open_store(tmp_path / "a.tif").frames([0]))


def test_several_pages(tmp_path):
    picture = Image.fromarray(PIXELS)
    picture.save(tmp_path / "a.tif", save_all=True, append_images=[picture, picture])
    with pytest.raises(VideoError, match="holds 3 pages, and one picture is expected"):
        open_store(tmp_path / "a.tif")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.tif", "a.gif"])
def test_truncated(tmp_path, name):
    path = tmp_path / name
    Image.fromarray(PIXELS).save(path)
    data = path.read_bytes()
    for share in (0.9, 0.5, 0.01):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(VideoError, match="cannot be read|not a readable|damaged|empty|no frame|not decode"):
            list(open_store(path).frames([0]))


def test_a_bomb(tmp_path):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )
    (tmp_path / "bomb.png").write_bytes(data)
    with pytest.raises(VideoError, match="not a readable picture: .*exceeds limit"):
        open_store(tmp_path / "bomb.png")


def test_what_moves(make_video: Make, tmp_path):
    for name, options in (("a.gif", ()), ("a.png", ("-f", "apng"))):
        ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10", "-frames:v", "5", *options, tmp_path / name)
        store = open_store(tmp_path / name)
        assert (len(store.timeline), store.reader) == (5, "pyav")
        np.testing.assert_array_equal(list(store.frames(range(5))), decoded(tmp_path / name, 48, 64))


def test_moving_webp(tmp_path):
    pictures = [Image.fromarray(np.roll(PIXELS, 5 * n, axis=0)) for n in range(4)]
    path = tmp_path / "a.webp"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=[100, 200, 300, 400], lossless=True)
    store = open_store(path)
    assert (store.reader, store.note, store.timeline.pts) == ("pillow", "", (0, 100, 300, 600))
    assert store.timeline.seconds(3) == 0.6
    frames = list(store.frames([0, 2, 2, 3]))
    for frame, number in zip(frames, (0, 2, 2, 3), strict=True):
        np.testing.assert_array_equal(frame, np.asarray(pictures[number]))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(VideoError):
        list(open_store(path).frames([0]))


def test_a_video_with_a_picture_s_name(make_video: Make, tmp_path):
    (tmp_path / "a.gif").write_bytes(make_video("larger.mp4", frames=24).read_bytes())
    assert len(open_store(tmp_path / "a.gif").timeline) == 24
    (tmp_path / "text.jpg").write_text("neither")
    for name in ("text.jpg", "none.png"):
        with pytest.raises(VideoError, match="not a readable video|no such file"):
            next(open_store(tmp_path / name).frames([0]))


def test_kinds_that_are_not_read(tmp_path):
    (tmp_path / "a.heic").write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(100))
    with pytest.raises(VideoError, match=r"\.heic pictures are not read here; save it as .png or .jpg"):
        open_store(tmp_path / "a.heic")


def test_a_picture_has_one_frame(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="no frame but 0"):
        list(open_store(tmp_path / "a.png").frames([0, 1]))


def test_a_folder_is_still_frames(tmp_path):
    for number in (1, 2):
        Image.fromarray(PIXELS).save(tmp_path / f"{number:06d}.png")
    store = open_store(tmp_path)
    assert isinstance(store, PictureFolder)
    assert (len(store.timeline), store.note) == (2, "")
    (tmp_path / "000002.png").write_bytes(b"nothing")
    with pytest.raises(VideoError, match="000002.png cannot be read"):
        list(store.frames([0, 1]))
