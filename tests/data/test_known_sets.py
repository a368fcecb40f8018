"""Every data set by name: first rows of its annotation files as handed out, in the layout that users get."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from scipy.io import savemat

from zoomvqa.cli.overrides import config_folder
from zoomvqa.data.labelled_set import LabelledSet, load_set
from zoomvqa.data.placeholders import refuse_placeholders
from zoomvqa.errors import AnnotationError
from zoomvqa.evaluation.methods import part_to_judge
from zoomvqa.settings.base import check
from zoomvqa.settings.data import DataSettings


def load(root: Path, name: str, *overrides: str) -> LabelledSet:
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        config = compose("train", [f"data={name}", f"data.root={root}", *overrides])
    values = OmegaConf.to_container(config.data, resolve=True)
    return load_set(check(DataSettings, values, "data"))


def cells(values):
    found = np.empty((len(values), 1), dtype=object)
    found[:, 0] = values
    return found


# Of each set: its files, the videos, and of the first video file, MOS, std, content and groups.
QUALCOMM = ["0912_Cheerleader1_GS5_1.yuv", "0912_CheerLeader1_HTC_2.yuv", "0911duck_5s_3.yuv"]
LSVQ = "name,p1,height,mos_p1,mos,left_vid,is_test,is_valid\n"
SETS = {
    "vdpve": (
        {
            "train_labels.txt": "A0023_01.mp4,-1,-1,43.9215071773589\nA0023_02.mp4,-1,-1,20.92\n",
            "val_offline_labels.txt": "A0038_01.mp4,-1,-1,70.7983029928863\n",
        },
        ["train/A0023_01.mp4", "train/A0023_02.mp4", "val/A0038_01.mp4"],
        ("train/A0023_01.mp4", 43.9215071773589, None, "A0023", {}),
        {"train": 2, "val": 1},
    ),
    "lsvq": (
        {
            "LSVQ_train.txt": "".join(f"yfcc-batch1/{i}.mp4, -1, -1, {40 + i}\n" for i in range(40)),
            "LSVQ_test.txt": "backup2/0.mp4, -1, -1, 67.75\n",
        },
        [*(f"yfcc-batch1/{i}.mp4" for i in range(40)), "backup2/0.mp4"],
        ("yfcc-batch1/0.mp4", 40.0, None, "yfcc-batch1/0.mp4", {}),
        {"train": 38, "val": 2, "test": 1},
    ),
    "lsvq_test": (
        {
            "LSVQ_whole_test.csv": LSVQ + 'yfcc-batch1/747,"[15, 527]",720,57.9,67.75,0,True,True\n'
            'ia-batch4/a.b-c,"[1, 2]",720,57.9,50.0,0,True,False\n'
        },
        ["yfcc-batch1/747.mp4", "ia-batch4/a.b-c.mp4"],
        ("yfcc-batch1/747.mp4", 67.75, None, "yfcc-batch1/747", {}),
        {"test": 2},
    ),
    "lsvq_1080p": (
        {"LSVQ_whole_test_1080p.csv": 'name,p1,mos,is_valid\nyfcc-batch1/722,"[2, 3]",78.77,False\n'},
        ["yfcc-batch1/722.mp4"],
        ("yfcc-batch1/722.mp4", 78.77, None, "yfcc-batch1/722", {}),
        {"test": 1},
    ),
    "konvid1k": (
        {"KONVID_1K_metadata.csv": "flickr_id,mos,width\n3339962845,4.6400000000,960\n8171831850,4.44,960\n"},
        ["KoNViD_1k_videos/3339962845.mp4", "KoNViD_1k_videos/8171831850.mp4"],
        ("KoNViD_1k_videos/3339962845.mp4", 4.64, None, "3339962845", {}),
        {"train": 1, "val": 1},
    ),
    "konvid150k": (
        {
            "k150kb_scores.csv": "video_name,mos,video_score\norig_10007436115_540_5s.mp4,3.53,3.61\n"
            "orig_10007901796_540_5s.mp4,3.81,3.81\n"
        },
        ["k150kb/orig_10007436115_540_5s.mp4", "k150kb/orig_10007901796_540_5s.mp4"],
        ("k150kb/orig_10007436115_540_5s.mp4", 3.53, None, "10007436115", {}),
        {"train": 1, "val": 1},
    ),
    "live_vqc": (
        {"LIVE_VQC_data.mat": {"video_list": cells(["A001.mp4", "A002.mp4"]), "mos": np.array([[80.232], [57]])}},
        ["Video/A001.mp4", "Video/A002.mp4"],
        ("Video/A001.mp4", 80.232, None, "A001.mp4", {}),
        {"train": 1, "val": 1},
    ),
    "youtube_ugc": (
        {
            "YOUTUBE_UGC_metadata.csv": "vid,category,resolution,x_Subjects,MOSFull,MOSChunk00,stdFull,bitrate\n"
            "Animation_1080P-01b3,Animation,1080,125,3.649,3.604,0.468,NaN\n"
            "Vlog_720P-05f8,Vlog,720,146,3.901,3.757,0.871,NaN\n"
        },
        ["Animation_1080P-01b3_crf_10_ss_00_t_20.0.mp4", "Vlog_720P-05f8.mkv"],
        (
            *("Animation_1080P-01b3_crf_10_ss_00_t_20.0.mp4", 3.649, 0.468, "Animation_1080P-01b3"),
            {"category": "Animation", "resolution": "1080"},
        ),
        {"train": 1, "val": 1},
    ),
    "cvd2014": (
        {
            "CVD2014_Realignment_MOS.csv": "Content;File_name;Original MOS;Realignment MOS;;;;\n"
            "City;Test01_City_D01;71,17;67,29;;;;\nTraffic;Test01_Traffic_D02;25,83;-6,50;;;;\n;;;;;;;\n;;;;;;;\n"
        },
        ["Test1/City/Test01_City_D01.avi", "Test1/Traffic/Test01_Traffic_D02.avi"],
        ("Test1/City/Test01_City_D01.avi", 67.29, None, "City", {}),
        {"train": 1, "val": 1},
    ),
    "live_qualcomm": (
        {
            "qualcommSubjectiveData.mat": {
                "qualcommVideoData": {
                    "vidNames": cells(QUALCOMM),
                    "distortionType": np.array([[1], [2], [2]], np.uint8),
                    "distortionNames": cells(["Artifacts", "Color"]),
                },
                "qualcommSubjectiveData": {
                    "unBiasedMOS": np.array([[52.5], [57.2], [30.0]]),
                    "biasedMOS": np.array([[59.0], [55.0], [1.0]]),
                },
            }
        },
        ["Artifacts/0912_Cheerleader1_GS5_1.yuv", "Color/0912_CheerLeader1_HTC_2.yuv", "Color/0911duck_5s_3.yuv"],
        ("Artifacts/0912_Cheerleader1_GS5_1.yuv", 52.5, None, "0912_cheerleader1", {"distortionType": "1"}),
        None,
    ),
    "maxwell": (
        {
            "MaxWell_train.txt": "0001.mp4, 1.057142857, 1.142857143, 1.2\n0002.mp4, 1.2, 1.2, 1.1\n",
            "MaxWell_val.txt": "0000.mp4, 1.114285714, 1.057142857, 1.028571429\n",
        },
        ["0001.mp4", "0002.mp4", "0000.mp4"],
        ("0001.mp4", 1.2, None, "0001.mp4", {}),
        {"train": 2, "val": 1},
    ),
    "kvq": (
        {
            "train.csv": "filename,score\n0001.mp4,2.5\n0002.mp4,3.5\n",
            "val.csv": "filename,score\n0003.mp4,4.5\n",
        },
        ["0001.mp4", "0002.mp4", "0003.mp4"],
        ("0001.mp4", 2.5, None, "0001.mp4", {}),
        {"train": 2, "val": 1},
    ),
    "live_yt_gaming": (
        {"LIVE-YT-Gaming.mat": {"video_list": cells(["a", "b"]), "MOS": np.array([[50.5], [60.5]])}},
        ["videos/a.mp4", "videos/b.mp4"],
        ("videos/a.mp4", 50.5, None, "a", {}),
        {"train": 1, "val": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_read(tmp_path, name):
    files, videos, first, splits = SETS[name]
    for file, content in files.items():
        if isinstance(content, dict):
            savemat(tmp_path / file, content)
        else:
            (tmp_path / file).write_text(content)
    for video in videos:
        (tmp_path / video).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / video).touch()
    labelled = load(tmp_path, name)
    assert sorted(v.path.relative_to(tmp_path).as_posix() for v in labelled.videos) == sorted(videos)
    video = labelled.videos[0]
    told = (video.path.relative_to(tmp_path).as_posix(), video.mos, video.std, video.content, dict(video.groups))
    assert told == first
    if splits:
        assert Counter(v.split for v in labelled.videos) == splits
    low, high = labelled.mos_range
    assert all(low <= v.mos <= high for v in labelled.videos)


def test_every_set_of_the_configs_is_tested():
    names = {path.stem for path in (config_folder() / "data").glob("[!_]*.yaml")}
    assert names == {*SETS, "demo", "folder", "frames", "mixed"}


def test_annotations_that_are_not_there_are_named(tmp_path):
    with pytest.raises(AnnotationError, match=r"no train_labels\.txt and val_offline_labels\.txt under .*; give"):
        load(tmp_path, "vdpve")


def test_a_test_file_without_scores_is_left_out(tmp_path, capsys):
    for name in ("1.mp4", "2.mp4"):
        (tmp_path / name).touch()
    (tmp_path / "train_data.csv").write_text("filename,score\n1.mp4,3\n")
    (tmp_path / "val_data.csv").write_text("filename,score\n2.mp4,2\n")
    (tmp_path / "test_data.csv").write_text("filename\n3.mp4\n")
    assert [(v.name, v.split) for v in load(tmp_path, "kvq").videos] == [("1.mp4", "train"), ("2.mp4", "val")]
    assert "test_data.csv of kvq has no scores: its videos are left out" in capsys.readouterr().err
    chosen = f"data.annotations={{train: {tmp_path}/train_data.csv, test: {tmp_path}/test_data.csv}}"
    with pytest.raises(AnnotationError, match="no column for the mos among: filename"):
        load(tmp_path, "kvq", chosen)


@pytest.mark.parametrize("scores", ["0.17 0.99 0.58 0.04 0.3 0.7", "-1 -1 -1 -1 -1 -1"])
def test_placeholders_of_vdpve_are_refused_as_such(tmp_path, scores):
    lines = [f"{number:04d}.mp4,-1,-1,{score}\n" for number, score in enumerate(scores.split())]
    for line in lines:
        (tmp_path / line.split(",")[0]).touch()
    (tmp_path / "test_labels.txt").write_text("".join(lines))
    labelled = load(tmp_path, "vdpve", f"data.annotations={{test: {tmp_path}/test_labels.txt}}")
    with pytest.raises(AnnotationError, match="the test labels of vdpve are placeholders, no opinions: all 6"):
        refuse_placeholders(labelled, ("test",))
    with pytest.raises(AnnotationError, match="the labels of vdpve are placeholders, no opinions: all 6"):
        part_to_judge(labelled, "auto")


def test_annotations_elsewhere(tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "1.mp4").touch()
    (tmp_path / "mine.csv").write_text("flickr_id,mos\n1,3\n")
    labelled = load(tmp_path / "videos", "konvid1k", f"data.annotations={tmp_path / 'mine.csv'}")
    assert labelled.videos[0].mos == 3


def test_another_of_several_scores(tmp_path):
    for name in ("0001.mp4", "0000.mp4"):
        (tmp_path / name).touch()
    (tmp_path / "MaxWell_train.txt").write_text("0001.mp4, 1.5, 2.5, 3.5\n")
    (tmp_path / "MaxWell_val.txt").write_text("0000.mp4, 1, 2, 3\n")
    assert load(tmp_path, "maxwell", "data.columns.mos=technical").videos[0].mos == 1.5
