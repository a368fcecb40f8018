"""`scripts/fuse.py` and `scripts/convert_checkpoint.py`."""

import torch

from cli.conftest import Run
from cli.test_mistakes import one_line
from zoomvqa.checkpoints import load_checkpoint


def test_fuse(command: Run, tmp_path):
    (tmp_path / "i.txt").write_text("a.mp4,1\nb.mp4,2\nc.mp4,4\n")
    (tmp_path / "v.txt").write_text("c.mp4,70\nb.mp4,30\na.mp4,20\n")
    outcome = command("fuse", "iqa=i.txt", "vqa=v.txt", "output=o.txt")
    assert outcome.code == 0, outcome.err
    assert [line.split(",")[0] for line in (tmp_path / "o.txt").read_text().splitlines()] == [
        "a.mp4",
        "b.mp4",
        "c.mp4",
    ]
    assert "3 fused scores in o.txt; each depends on the others of its set; rescaled already: vqa" in outcome.err
    assert command("fuse", "iqa=i.txt", "vqa=v.txt", "output=p.txt", "rescaled=[]", "share=0.2").code == 0
    (tmp_path / "v.txt").write_text("c.mp4,70\nb.mp4,30\nd.mp4,20\n")
    one_line(
        command("fuse", "iqa=i.txt", "vqa=v.txt", "output=o.txt"), "do not list the same videos: 1 only in iqa"
    )
    one_line(command("fuse", "iqa=i.txt", "output=o.txt"), "vqa: a value is missing")
    one_line(
        command("fuse", "iqa=i.txt", "vqa=v.txt", "output=o.txt", "shar=1"), "shar: unknown key (did you mean"
    )


def test_convert(command: Run, trained, tmp_path):
    ckpt = trained / "checkpoints" / "best.ckpt"
    outcome = command("convert_checkpoint", f"input={ckpt}", "output=r.ckpt")
    assert outcome.code == 0, outcome.err
    assert "iqa branch) -> r.ckpt (zoomvqa):" in outcome.err
    weights = load_checkpoint(tmp_path / "r.ckpt").weights
    assert all(torch.equal(v, weights[k]) for k, v in load_checkpoint(ckpt).weights.items())
    one_line(command("convert_checkpoint", f"input={ckpt}", "output=r.ckpt"), "output: r.ckpt is there already")
    one_line(command("convert_checkpoint", f"input={ckpt}", "output=s", "format=onnx"), "format: got 'onnx'")
    one_line(
        command("convert_checkpoint", f"input={ckpt}", "output=s", "format=release"), "has no network such as"
    )
    one_line(command("convert_checkpoint", "input=none", "output=s"), "input: no such file: none")
