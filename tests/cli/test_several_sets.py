"""`data=[a,b]` on a command line."""

import pytest

from cli.conftest import Run
from cli.test_mistakes import one_line
from zoomvqa.cli.several_sets import expand_sets, set_folder


@pytest.mark.parametrize(
    ("name", "folder"),
    [("konvid1k", "KoNViD-1k"), ("live_vqc", "LIVE_VQC"), ("lsvq_1080p", "LSVQ"), ("lsvq_test", "LSVQ"),
     ("vdpve", "vdpve"), ("maxwell", "maxwell")],
)  # fmt: skip
def test_folders(tmp_path, name, folder):
    for made in ("KoNViD-1k", "LIVE_VQC", "LSVQ", "vdpve"):
        (tmp_path / made).mkdir()
    assert set_folder(tmp_path, name) == tmp_path / folder
    assert set_folder(tmp_path / "none", name) == tmp_path / "none" / name


def test_a_list_is_spelled_out():
    assert expand_sets(["ckpt=a", "data=[x, y]", "data.root=/d", "data.sets.y.root=/e"]) == [
        *("data=mixed", "+data@data.sets.x=x", "+data.weights.x=1.0", "data.sets.x.root=/d/x"),
        *("+data@data.sets.y=y", "+data.weights.y=1.0", "ckpt=a", "data.sets.y.root=/e"),
    ]
    assert expand_sets(["data=x", "data.root=/d"]) == ["data=x", "data.root=/d"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data=[konvid1k,live_vcq]", "data.root=."], "data: got 'live_vcq', expected one of cvd2014"),
        (["data=[konvid1k,live_vcq]", "data.root=."], "(did you mean 'live_vqc'?)"),
        (["data=[konvid1k]", "data.sets.konvid1k.rot=3"], "data.sets.konvid1k.rot: unknown key (did you mean"),
        (["data=[konvid1k]"], "data.sets.konvid1k.root: a value is missing"),
        (["data=[konvid1k]", "data.root=.", "data.sets.konvid1k.val_share=3"],
         "data.sets.konvid1k.val_share: got 3, expected less than 1"),
        (["data=[konvid1k]", "data.root=.", "data.weights.konvid1k=0"], "data.weights.konvid1k: got 0"),
        (["data=[konvid1k]", "data.root=.", "+data.weights.other=2"], "data.weights: got"),
        (["data=[]"], "data.sets: got {}, expected names of sets"),
        (["data=[konvid1k,live_vqc]", "data.root=.", "data.sets.konvid1k.layout=frames"], "data.sets: got"),
        (["data=[konvid1k]", "data.root=no where"], "under no where/konvid1k"),
    ],
)  # fmt: skip
def test_mistakes(command: Run, arguments, message):
    one_line(command("train", *arguments), message)
