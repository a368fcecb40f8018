import csv

import pytest

from zoomvqa.errors import SettingsError
from zoomvqa.scoring.parts import PartScore
from zoomvqa.scoring.rows import details_path, open_rows
from zoomvqa.scoring.scorer import VideoScore

FRAMES, CLIPS = [PartScore(0, 0, 0.0, 0.0, 51.0)], [PartScore(13, 44, 0.43, 1.47, 51.5)]
GOOD = VideoScore(51.25, "", {"iqa": 50.0, "vqa": 52.5}, FRAMES, CLIPS, 0.2, "decord")
BAD = VideoScore(None, "not a readable video:\nInvalid data", seconds=0.01)


def rows(path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_rows(tmp_path):
    output = tmp_path / "new" / "scores.csv"
    with open_rows(output, details=True) as writer:
        writer.write("a,1.mp4", GOOD)
        writer.write("b.mp4", BAD)
        assert not output.exists()
    first, second = rows(output)
    assert (first["video"], first["score"], first["status"]) == ("a,1.mp4", "51.250000", "ok")
    assert (first["iqa"], first["vqa"], first["frames"], first["clips"]) == ("50.000000", "52.500000", "1", "1")
    assert (second["score"], second["status"]) == ("", "error")
    assert second["error"] == "not a readable video: Invalid data"
    assert [list(r.values())[1:] for r in rows(details_path(output))] == [
        ["frame", "0", "0", "0", "0.0000", "0.0000", "51.000000"],
        ["clip", "0", "13", "44", "0.4300", "1.4700", "51.500000"],
    ]
    assert {p.name for p in output.parent.iterdir()} == {"scores.csv", "scores.details.csv"}


def test_an_interruption_keeps_what_was_scored_and_the_older_output(tmp_path, capsys):
    output = tmp_path / "scores.csv"
    output.write_text("older")
    with pytest.raises(KeyboardInterrupt), open_rows(output, details=False) as writer:
        writer.write("a.mp4", GOOD)
        raise KeyboardInterrupt
    assert output.read_text() == "older"
    assert len(rows(tmp_path / "scores.csv.part")) == 1
    assert "scores.csv.part" in capsys.readouterr().err


def test_outputs_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    for output, message in [(tmp_path, "is a folder"), (tmp_path / "file" / "s.csv", "cannot be made")]:
        with pytest.raises(SettingsError, match=message), open_rows(output, details=False):
            pass
