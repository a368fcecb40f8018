"""Damaged files, read in bulk: a short run of `scripts/fuzz_reader.py`."""

import random

import pytest
from fuzz_reader import CODECS, Seen, _troubles, encode_sources, frames_of_ffmpeg, fuzz

from benchmarks.damages import DAMAGES
from benchmarks.feeding import feed

KINDS = ("refused with a reason", "read", "read in part")


@pytest.mark.slow
def test_damage_costs_a_file_s_own_row_only(tmp_path):
    sources = encode_sources(tmp_path, None)
    assert {path.suffix[1:] for path in sources} == set(CODECS)
    assert all(len(frames_of_ffmpeg(path)) == 50 for path in sources)
    outcomes, fed, wrong = fuzz(sources, tmp_path, 2 * len(sources) * len(DAMAGES), seed=1, workers=2)
    assert wrong == []
    assert sum(outcomes.values()) == sum(fed.values()) == 180
    of_kind = {kind: sum(n for name, n in outcomes.items() if name.endswith(f": {kind}")) for kind in KINDS}
    # 40 of the files are damaged where there is no picture, and decoders notice most of the other damage.
    assert all(count >= least for count, least in zip(of_kind.values(), (20, 40, 40), strict=True))
    assert all(fed[kind] >= least for kind, least in (("refused", 20), ("scored", 40), ("scored in part", 40)))


def test_what_is_found_wrong(tmp_path):
    source = encode_sources(tmp_path, None)[0]
    theirs = frames_of_ffmpeg(source)
    assert list(_troubles(source, Seen("read in part", "", tuple(theirs[3:9])))) == []
    other = Seen("read in part", "", (*theirs[3:9], "another"))
    assert list(_troubles(source, other)) == ["read in part: 1 of 7 frames are not among ffmpeg's 50"]
    (tmp_path / "text.mp4").write_text("nothing")
    assert list(_troubles(tmp_path / "text.mp4", Seen("read"))) == [
        "it was read, but ffmpeg decodes no frame of it"
    ]
    assert list(_troubles(source, Seen("unforeseen error", "KeyError: 1"))) == ["KeyError: 1"]


def test_what_is_found_wrong_where_files_are_fed(tmp_path):
    source = encode_sources(tmp_path, None)[0]
    (text := tmp_path / "text.mp4").write_text("nothing")
    way = {"share": 0.25, "workers": 1, "patience": 60}
    counts, wrong = feed({source: "read", text: "refused with a reason"}, lambda _: True, **way)
    assert (dict(counts), wrong) == ({"scored": 1, "refused": 1}, [])
    _, wrong = feed({source: "refused with a reason", text: "read"}, lambda _: False, **way)
    assert wrong == [
        f"{source.name}: fed, it was scored, but ffmpeg decodes no frame of it",
        f"{source.name}: refused with a reason by itself, but scored where it is fed",
        "text.mp4: read by itself, but refused where it is fed",
    ]


def test_damages_change_files():
    data = random.Random(0).randbytes(50_000) + b"Lavf63.1"
    for damage in DAMAGES:
        assert damage(bytearray(data), random.Random(1), bytes(5000)) != data
