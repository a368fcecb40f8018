"""Times of decoded frames; `test_rate.py` compares them with ffmpeg's."""

from fractions import Fraction

from zoomvqa.video.times import Decoded, Usual, nearest, shown_times, start_in_use

AT_25 = Usual(Fraction(1, 100), guessed_rate=Fraction(25), codec_rate=Fraction(25))


def times(*frames: tuple[int | None, int | None, int], usual: Usual = AT_25, start: int = 0) -> list[int]:
    return shown_times([Decoded(*frame) for frame in frames], usual, start)[0]


def test_presentation_times_count():
    assert times((0, 8, 4), (4, 12, 4), (8, None, 4)) == [0, 4, 8]


def test_decoding_times_count_where_there_are_no_others():
    assert times((None, 8, 1), (None, 12, 1), (None, None, 1), (None, None, 1)) == [8, 12, 16, 20]


def test_decoding_times_count_where_others_repeat():
    assert times((0, 4, 4), (4, 8, 4), (4, 12, 4), (12, 16, 4)) == [0, 4, 12, 16]


def test_frames_without_times_follow_one_another():
    assert times((None, None, 4), (None, None, 4), (20, None, 4), (None, None, 0), start=7) == [7, 11, 20, 24]
    raw = Usual(Fraction(1, 100), Fraction(25), Fraction(50), timed=False)
    assert times((40, 0, 4), (44, 4, 4), usual=raw) == [0, 2]


def test_without_any_rate_the_last_distance_counts():
    unknown = Usual(Fraction(1, 100), Fraction(0), Fraction(0))
    assert times((0, 0, 0), (3, 3, 0), (None, None, 0), (None, None, 0), usual=unknown) == [0, 3, 6, 9]


def test_missing_durations_are_those_of_the_guessed_rate():
    frames = [Decoded(0, 0, 0), Decoded(7, 7, 5)]
    assert shown_times(frames, AT_25)[1] == [4, 5]
    assert shown_times(frames, Usual(Fraction(1, 100), Fraction(0)))[1] == [0, 5]


def test_start():
    base = Fraction(1, 90_000)
    assert start_in_use(1_400_000, 126_982, base, restarts=True) == 1_410_911
    assert start_in_use(1_400_000, 126_982, base, restarts=False) == 1_400_000
    assert start_in_use(1_400_000, None, base, restarts=True) == 1_400_000
    assert start_in_use(1_400_000, 90_000, base, restarts=True) == 1_400_000


def test_rounding():
    assert [nearest(Fraction(n, 2)) for n in (-3, -1, 1, 3, 4)] == [-2, -1, 1, 2, 2]
