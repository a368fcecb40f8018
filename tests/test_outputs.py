"""What a command writes over, and what not."""

import os

import pytest

from zoomvqa.errors import SettingsError
from zoomvqa.outputs import begins_with, refuse_foreign, refuse_foreign_folder, refuse_inputs


def test_an_input_is_refused_by_any_path_and_link(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = tmp_path / "mos.csv"
    table.write_text("video,mos\n")
    (tmp_path / "link.csv").symlink_to(table)
    os.link(table, tmp_path / "hard.csv")
    for name in ("mos.csv", "../" + tmp_path.name + "/mos.csv", "link.csv", "hard.csv"):
        with pytest.raises(SettingsError, match="is read by this command \\(input=.*\\); give another name"):
            refuse_inputs([tmp_path / name], "input", ["none.mp4", "s3://a/b.mp4", "x" * 9999, table])
    refuse_inputs([tmp_path / "new.csv"], "input", [table])


def test_what_is_not_ours_is_refused(tmp_path):
    path = tmp_path / "a.csv"

    def ours(there):
        return begins_with(there, "video,score")

    refuse_foreign(path, ours, "give another name")
    for text in ("", "video,score\na,1\n", "video,score\r\na,1\r\n"):
        path.write_bytes(text.encode())
        refuse_foreign(path, ours, "give another name")
    for text in ("video,score,mos\n", "video,mos\n", "a", "x" * 9999):
        path.write_text(text)
        with pytest.raises(SettingsError, match="a.csv is there, and this command did not write it; give another"):
            refuse_foreign(path, ours, "give another name")
    with pytest.raises(SettingsError, match="is a folder, expected a file"):
        refuse_foreign(tmp_path, ours, "")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SettingsError, match="is no ordinary file"):
        refuse_foreign(tmp_path / "pipe", ours, "")


def test_folders(tmp_path):
    refuse_foreign_folder(tmp_path / "new", ["a.csv"], lambda _: False)
    refuse_foreign_folder(tmp_path, ["a.csv"], lambda _: False)
    (tmp_path / "a.csv").touch()
    refuse_foreign_folder(tmp_path, ["a.csv"], lambda _: True)
    with pytest.raises(SettingsError, match="holds a.csv, which this command did not write; give another output"):
        refuse_foreign_folder(tmp_path, ["b.csv", "a.csv"], lambda _: False)
