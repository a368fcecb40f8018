"""Rows copied from the field's files, and every way to get one wrong."""

import pytest

from zoomvqa.data.annotations import Label, read_labels
from zoomvqa.errors import AnnotationError


def write(folder, name: str, text: str):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


KONVID = (
    "KoNViD_1k_videos/4542323058.mp4, 8.008, 29.97002997002997, 3.22\nKoNViD_1k_videos/9753.mp4, 8.0, 25, 3.84\n"
)


def test_lines_of_the_field(tmp_path):
    labels = read_labels(write(tmp_path, "KoNViD.txt", KONVID))
    assert labels == [Label("KoNViD_1k_videos/4542323058.mp4", 3.22), Label("KoNViD_1k_videos/9753.mp4", 3.84)]


def test_lines_without_a_space_after_the_comma(tmp_path):
    labels = read_labels(
        write(tmp_path, "train_labels.txt", "A0023_01.mp4,-1,-1,43.92\n\nA0023_02.mp4,-1,-1,20.9\n")
    )
    assert [label.mos for label in labels] == [43.92, 20.9]


def test_two_columns(tmp_path):
    assert read_labels(write(tmp_path, "a.txt", "0001.mp4,46.3\n")) == [Label("0001.mp4", 46.3)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("flickr_id,mos,width\n3339962845,4.6400000000,960\n", Label("3339962845", 4.64)),
        ("File,MOS,width\nA001.mp4,80.232,1920\n", Label("A001.mp4", 80.232)),
        ("vid,category,MOSFull,stdFull\nAnimation_1080P-01b3,Animation,3.649,0.468\n",
         Label("Animation_1080P-01b3", 3.649, std=0.468)),
        ("video_name,mos,video_score\norig_1.mp4,3.53,3.61\n", Label("orig_1.mp4", 3.53)),
        ("filename,score\n0001.mp4,2.5\n", Label("0001.mp4", 2.5)),
        ("video;mos;content;split\nb.mp4;17,5;B;validation\n", Label("b.mp4", 17.5, content="B", split="val")),
        ("\ufeffvideo\tmos\nb.mp4\t3\n", Label("b.mp4", 3.0)),
        ("b.mp4;55,3\n", Label("b.mp4", 55.3)),
    ],
)  # fmt: skip
def test_tables_with_a_header(tmp_path, text, expected):
    assert read_labels(write(tmp_path, "t.csv", text)) == [expected]


def test_chosen_columns(tmp_path):
    path = write(tmp_path, "t.csv", "clip,technical,aesthetic\na.mp4,1.5,2.5\n")
    labels = read_labels(path, {"video": "clip", "mos": "aesthetic"})
    assert labels == [Label("a.mp4", 2.5)]


def test_a_difference_score_is_taken_only_where_it_is_named(tmp_path):
    path = write(tmp_path, "t.csv", "video,dmos\na.mp4,1.5\n")
    assert read_labels(path, {"mos": "dmos"}) == [Label("a.mp4", 1.5)]


def test_contents_of_placeholders_may_be_hidden(tmp_path):
    """The challenge's test files have other names than its training files."""
    lines = "".join(f"{i:04d}.mp4,-1,-1,0.{i}\n" for i in range(1, 7))
    path = write(tmp_path, "test_labels.txt", lines)
    labels = read_labels(path, content_pattern=r"^([A-Z]+\d+)_", mos_range=(0, 100))
    assert [label.content for label in labels] == [None] * 6
    with pytest.raises(AnnotationError, match="content_pattern"):
        read_labels(path, content_pattern=r"^([A-Z]+\d+)_", mos_range=(0, 1))


def test_json_of_the_release(tmp_path):
    text = '{"train": [["../data/f/A0023_01", 22, 43.9]], "val": [["../data/f/A0038_01", 18, 70.8]]}'
    labels = read_labels(write(tmp_path, "vdpve.json", text), content_pattern=r"^(.+)_\d+$")
    assert labels == [
        Label("../data/f/A0023_01", 43.9, content="A0023", split="train"),
        Label("../data/f/A0038_01", 70.8, content="A0038", split="val"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "", "the file is empty"),
        ("a.csv", "video,mos\n", "no video is listed"),
        ("a.txt", "a.mp4, 1, 2, good\nb.mp4,1,2,3", "row 1: the MOS 'good' is not a finite number|no column"),
        ("a.txt", "b.mp4,1,2,3\na.mp4, 1, 2, nan\n", "row 2: the MOS 'nan' is not a finite number"),
        ("a.txt", "b.mp4,1,2,3\na.mp4\n", "row 2: expected `path, duration, fps, mos`"),
        ("a.csv", "video,mos\na.mp4,inf\n", "row 2: the MOS 'inf' is not a finite number"),
        ("a.csv", "video,mos,x\na.mp4,3\n", "row 2: 2 cells where the header has 3"),
        ("a.csv", "picture,mos\na.mp4,3\n", "no column for the video among: picture, mos"),
        ("a.csv", "video,opinion\na.mp4,3\n", r"no column for the mos.*data\.columns\.mos"),
        ("a.csv", "video,DMOS\na.mp4,3\n", r"data\.columns\.mos \(in 'DMOS', lower is mostly better"),
        ("a.csv", "video,mos,split\na.mp4,3,dev\n", "split 'dev' is none of train, val, test"),
        ("a.csv", "video,mos\n,3\n", "1 rows have no video name"),
        ("a.csv", 'video,mos\n"' + "a" * 200_000, "not a table"),
        ("a.json", "{", "not JSON"),
        ("a.json", "[1]", "expected {"),
        ("a.json", '{"train": [["a", 1, "x"]]}', "train 1: the MOS|row 1: the MOS"),
        ("a.json", '{"train": [[1]]}', r"train 1: expected \[folder, frames, mos\]"),
    ],
)
def test_refusals(tmp_path, name, text, message):
    with pytest.raises(AnnotationError, match=message):
        read_labels(write(tmp_path, name, text))


def test_missing_file(tmp_path):
    with pytest.raises(AnnotationError, match="no such annotation file"):
        read_labels(tmp_path / "no.csv")


def test_binary_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x81" * 20)
    with pytest.raises(AnnotationError, match="not a readable text file"):
        read_labels(path)


def test_unknown_column_names_the_nearest(tmp_path):
    path = write(tmp_path, "t.csv", "video,quality_mos\na.mp4,1\n")
    with pytest.raises(AnnotationError, match=r"data\.columns\.mos is 'quality_mso'.*did you mean 'quality_mos'"):
        read_labels(path, {"mos": "quality_mso"})


def test_content_pattern_must_match(tmp_path):
    with pytest.raises(AnnotationError, match=r"content_pattern.*does not match the video name 'a\.mp4'"):
        read_labels(write(tmp_path, "t.csv", "video,mos\na.mp4,1\n"), content_pattern=r"^(A\d+)_")


@pytest.mark.parametrize("header", ["video,mos\n", ""])
@pytest.mark.parametrize("text", ["4_5", "１", "nan", "inf", "1e400"])
def test_what_python_takes_for_a_number(tmp_path, header, text):
    path = tmp_path / "mos.csv"
    path.write_text(f"{header}a.mp4,{text}\nb.mp4,2.0\n", encoding="utf-8")
    row = 2 if header else 1
    with pytest.raises(AnnotationError, match=f"mos.csv, row {row}: the MOS '{text}' is not a finite number"):
        read_labels(path)


def test_odd_numbers_elsewhere(tmp_path):
    path = tmp_path / "mos.csv"
    path.write_text("video,mos,std\na.mp4,1,NaN\nb.mp4,2,\nc.mp4,3,0.5\n")
    assert [label.std for label in read_labels(path)] == [None, None, 0.5]
    for text in ("0_5", "-1", "much"):
        path.write_text(f"video,mos,std\na.mp4,1,1\nb.mp4,2,{text}\n")
        with pytest.raises(AnnotationError, match=f"row 3: the deviation '{text}' is not a finite number"):
            read_labels(path)
    (tmp_path / "a.json").write_text('{"train": [["a", 3, "4_5"]]}')
    with pytest.raises(AnnotationError, match="row 1: the MOS '4_5' is not a finite number"):
        read_labels(tmp_path / "a.json")
