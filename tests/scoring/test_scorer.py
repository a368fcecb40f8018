"""Scores of real small files, good and bad."""

import re
import sys
from pathlib import Path

import pytest
import torch
from conftest import Make, ffmpeg

from scoring.conftest import try_score
from zoomvqa import allocation
from zoomvqa.checkpoints import Checkpoint, load_checkpoint
from zoomvqa.data.labelled_set import LabelledVideo
from zoomvqa.data.whole_videos import WholeVideos
from zoomvqa.errors import SettingsError
from zoomvqa.models.base import score_video
from zoomvqa.models.vqa.build import build_vqa_net
from zoomvqa.scoring.scorer import Scorer
from zoomvqa.settings.vqa import VQANetwork

GOOD = {
    "wide.mp4": {},
    "portrait.mp4": {"size": "128x256"},
    "one.mp4": {"frames": 1},
    "tiny.mp4": {"size": "16x16"},
    "four_three.mp4": {"size": "80x60"},  # smaller than the crop
    "long.mp4": {"frames": 400, "size": "32x32"},
}


@pytest.mark.parametrize("name", GOOD)
def test_good_videos(checkpoint, make_video: Make, name):
    result = try_score(Scorer(checkpoint, "cpu"), make_video(f"score_{name}", **GOOD[name]))
    assert result.error == ""
    assert result.score == pytest.approx(sum(p.score for p in result.frames) / len(result.frames), abs=1e-5)
    assert [p.first for p in result.frames] == sorted(p.last for p in result.frames)
    assert result.seconds > 0


@pytest.mark.parametrize("name", GOOD)
def test_good_videos_by_clips(clip_checkpoint, make_video: Make, name):
    video = make_video(f"score_{name}", **GOOD[name])
    result = try_score(Scorer(clip_checkpoint, "cpu"), video)
    assert result.error == ""
    assert result.score == pytest.approx(sum(p.score for p in result.clips) / 3, abs=1e-5)
    frames = GOOD[name].get("frames", 30)
    stretch = frames // 3
    starts = [stretch * i + max(0, stretch - 8) // 2 for i in range(3)]
    assert [p.first for p in result.clips] == starts
    assert [p.last for p in result.clips] == [(start + 6) % frames for start in starts]
    assert result.clips[1].start == pytest.approx(starts[1] / 25)
    again = Scorer(clip_checkpoint, "cpu")
    try_score(again, make_video("score_wide.mp4"))
    assert try_score(again, video).score == result.score


@torch.inference_mode()
def validated(checkpoint: Checkpoint, video: Path) -> torch.Tensor:
    """The scores of a video's parts as validation computes them."""
    look = checkpoint.description.look
    (found,) = [WholeVideos([LabelledVideo("v", video, 1.0, "v", "val")], {"a": look})[0]]
    return score_video(checkpoint.build_net(), found.inputs["a"], look.view.to_network, look.sampling.together)


def test_scoring_clips_gives_what_validation_gives(clip_checkpoint, make_video: Make):
    video = make_video("score_long.mp4", **GOOD["long.mp4"])
    scores = validated(clip_checkpoint, video)
    score = try_score(Scorer(clip_checkpoint, "cpu"), video).score
    assert score == pytest.approx(float(scores.mean()), rel=1e-5)  # weights are reordered, as sums are


def test_more_clips(clip_checkpoint, make_video: Make):
    video = make_video("score_long.mp4", **GOOD["long.mp4"])
    assert len(try_score(Scorer(clip_checkpoint, "cpu", test_clips=7), video).clips) == 7


def test_crops_and_clips_are_of_one_branch_each(checkpoint, clip_checkpoint):
    with pytest.raises(SettingsError, match=r"test_clips: got 2, but .* branches \(iqa\) look at frames"):
        Scorer(checkpoint, "cpu", test_clips=2)
    with pytest.raises(SettingsError, match=r"test_crops: got 5, but .* branches \(vqa\) look at clips"):
        Scorer(clip_checkpoint, "cpu", test_crops=5)


def test_a_folder_of_pictures_has_no_clips(clip_checkpoint, tmp_path):
    assert "clips need the video itself" in try_score(Scorer(clip_checkpoint, "cpu"), tmp_path).error


def test_scoring_gives_what_validation_gives(checkpoint, make_video: Make):
    video = make_video("score_long.mp4", **GOOD["long.mp4"])
    score = try_score(Scorer(checkpoint, "cpu"), video).score
    assert score == pytest.approx(float(validated(checkpoint, video).mean()), rel=1e-5)


def test_the_score_does_not_depend_on_company(checkpoint, make_video: Make):
    videos = [make_video(f"score_{name}", **options) for name, options in GOOD.items()]
    scorer = Scorer(checkpoint, "cpu")
    together = [try_score(scorer, v).score for v in videos]
    assert [try_score(Scorer(checkpoint, "cpu"), v).score for v in reversed(videos)] == together[::-1]


def test_damaged_videos_are_scored_where_that_is_allowed(checkpoint, clip_checkpoint, make_video: Make, tmp_path):
    whole = make_video("score_damaged.mkv", frames=60)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 7 // 10])
    for each in (checkpoint, clip_checkpoint):
        assert "cut short" in try_score(Scorer(each, "cpu"), cut).error
        found = Scorer(each, "cpu", min_share=0.3).score(cut)
        assert found.score is not None
        assert re.fullmatch(r"damaged: \d\d of \d\d frames decode", found.damage)
        assert found.reader == "pyav"
        assert "at least 95.0% are asked for" in try_score(Scorer(each, "cpu", min_share=0.95), cut).error
    assert Scorer(checkpoint, "cpu", min_share=0.3).score(whole).damage == ""
    for share in (0.0, 1.5):
        with pytest.raises(SettingsError, match="min_share: got .*, expected above 0 and at most 1"):
            Scorer(checkpoint, "cpu", min_share=share)


def test_more_crops(checkpoint, make_video: Make):
    video = make_video("score_wide.mp4")
    one, five, nine = (try_score(Scorer(checkpoint, "cpu", test_crops=n), video).score for n in (1, 5, 9))
    assert len({one, five, nine}) == 3
    assert try_score(Scorer(checkpoint, "cpu", test_crops=9), video).score == nine


def test_bf16_is_close(checkpoint, make_video: Make):
    video = make_video("score_wide.mp4")
    exact = try_score(Scorer(checkpoint, "cpu"), video).score
    assert try_score(Scorer(checkpoint, "cpu", "bf16-mixed"), video).score == pytest.approx(
        exact, rel=0.05, abs=0.05
    )


def test_bad_files(checkpoint, make_video: Make, tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("hello " * 99)
    ffmpeg("-f", "lavfi", "-i", "sine", "-t", "1", "-c:a", "aac", tmp_path / "sound.mp4")
    whole = make_video("score_fast.mp4", "-movflags", "+faststart", frames=100).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "head.mp4").write_bytes(whole[:100])
    expected = {
        "empty.mp4": "empty",
        "text.mp4": "not a readable video",
        "sound.mp4": "no video stream",
        "cut.mp4": "cut short",
        "head.mp4": "not a readable video",
        "none.mp4": "no such file",
    }
    scorer = Scorer(checkpoint, "cpu")
    for name, reason in expected.items():
        result = try_score(scorer, tmp_path / name)
        assert result.score is None, name
        assert reason in result.error, name
        assert (result.frames, result.clips, result.branches) == ([], [], {})


def test_a_network_gone_wrong_gives_no_score(checkpoint, make_video: Make):
    broken = {k: v.clone() for k, v in checkpoint.weights.items()}
    broken["head_score.3.bias"].fill_(float("nan"))
    result = try_score(
        Scorer(Checkpoint(checkpoint.description, broken, "zoomvqa"), "cpu"), make_video("score_wide.mp4")
    )
    assert result.score is None
    assert "not a number" in result.error


def test_device_that_is_not_there(checkpoint):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(SettingsError, match="device: 'cuda' cannot be used here"):
        Scorer(checkpoint, "cuda")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_gpu_agrees_with_the_cpu(checkpoint, make_video: Make):
    video = make_video("score_wide.mp4")
    exact = try_score(Scorer(checkpoint, "cpu"), video).score
    assert try_score(Scorer(checkpoint, "cuda"), video).score == pytest.approx(exact, rel=1e-3, abs=1e-3)


@pytest.mark.slow
def test_reference_video_end_to_end(reference, tmp_path):
    import json

    from fill import fill

    keys = json.loads((reference / "checkpoint_keys_iqa.json").read_text())
    weights = {f"module.{k}": fill(k, tuple(v["shape"])) for k, v in keys.items()}
    torch.save({"state_dict": weights}, tmp_path / "release.pth.tar")
    result = try_score(
        Scorer(load_checkpoint(tmp_path / "release.pth.tar"), "cpu"), reference / "media" / "10053703034.mp4"
    )
    golden = json.loads((reference / "golden.json").read_text())["videos"]["10053703034.mp4"]["iqa"]
    assert [p.first for p in result.frames] == golden["frame_indices_2fps"]
    assert [p.score for p in result.frames] == pytest.approx(golden["frame_scores"], abs=1e-3)
    assert result.score == pytest.approx(golden["video_score"], abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("patch", "entry"), [(6, "vqa"), (4, "vqa_patch4_no_resize")], ids=["zoom-vqa", "fast-vqa"]
)
def test_clip_scores_of_the_reference_video(reference, tmp_path, patch, entry):
    import json

    from fill import fill

    net = build_vqa_net(VQANetwork(patch=patch), 32, 8 * 7 * patch)
    weights = {f"module.{k}": fill(k, tuple(v.shape)) for k, v in net.state_dict().items()}
    # The public files also hold index tables; they are computed here.
    weights["module.fragments_backbone.layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(392, 392)
    torch.save({"state_dict": weights}, tmp_path / "release.pth")
    checkpoint = load_checkpoint(tmp_path / "release.pth")
    assert (checkpoint.description.network.patch, checkpoint.description.network.gated) == (patch, True)
    result = try_score(Scorer(checkpoint, "cpu"), reference / "media" / "10053703034.mp4")
    golden = json.loads((reference / "golden.json").read_text())["videos"]["10053703034.mp4"]
    assert [p.score for p in result.clips] == pytest.approx(golden[entry]["clip_scores"], abs=1e-3)
    assert [p.first for p in result.clips] == [clip[0] for clip in golden["vqa"]["frame_indices"]]


@pytest.mark.slow
def test_fast_vqa_m_on_the_reference_video(reference, tmp_path):
    import json

    from fill import fill

    keys = json.loads((reference / "keys_fast_vqa_m.json").read_text())
    weights = {k: fill(k, tuple(v["shape"])) for k, v in keys.items() if v["dtype"] == "float32"}
    torch.save({"state_dict": weights}, tmp_path / "FAST_VQA_M_1_4.pth")
    scorer = Scorer(load_checkpoint(tmp_path / "FAST_VQA_M_1_4.pth"), "cpu")
    result = try_score(scorer, reference / "media" / "10053703034.mp4")
    golden = json.loads((Path(__file__).parents[1] / "golden" / "fast_vqa_m.json").read_text())["reference_video"]
    assert [p.first for p in result.clips] == golden["first_frames"]
    assert [p.score for p in result.clips] == pytest.approx(golden["clip_scores"], abs=1e-3)


def test_the_process_s_memory_is_its_owner_s(checkpoint, monkeypatch):
    """Only a program that asks for it keeps freed memory; see `zoomvqa.allocation`."""
    called = []
    monkeypatch.setattr(allocation.ctypes, "CDLL", lambda name: called.append(name) or object())
    Scorer(checkpoint, "cpu")
    assert called == []
    allocation.keep_freed_memory()
    assert called == ([None] if sys.platform.startswith("linux") else [])
