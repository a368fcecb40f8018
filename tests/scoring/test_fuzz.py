"""Damaged files, read in bulk: a short run of `scripts/fuzz_reader.py`."""

import random

import pytest
from fuzz_reader import CODECS, DAMAGES, encode_sources, frames_of_ffmpeg, fuzz


@pytest.mark.slow
def test_damage_costs_a_file_s_own_row_only(tmp_path):
    sources = encode_sources(tmp_path, None)
    assert {path.suffix[1:] for path in sources} == set(CODECS)
    assert all(frames_of_ffmpeg(path) == 50 for path in sources)
    outcomes, wrong = fuzz(sources, tmp_path, 2 * len(sources) * len(DAMAGES), seed=1, workers=2)
    assert wrong == []
    assert sum(outcomes.values()) == 140
    assert sum(count for name, count in outcomes.items() if name.endswith("refused with a reason")) > 20
    assert sum(count for name, count in outcomes.items() if name.endswith(": read")) > 20


def test_damages_change_files():
    data = random.Random(0).randbytes(50_000)
    for damage in DAMAGES:
        assert damage(bytearray(data), random.Random(1), bytes(5000)) != data
