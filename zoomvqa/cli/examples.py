"""The examples of `--help`: for each command what to type, and what it does."""

from __future__ import annotations

EXAMPLES: dict[str, list[tuple[str, str]]] = {
    "train": [
        ("branch=vqa data=demo output=runs/demo", "train the VQA branch on the demo data, built on first use"),
        (
            "branch=iqa data=folder data.root=VIDEOS data.annotations=scores.csv",
            "train on videos of your own, and a table of their scores",
        ),
        ("experiment=vqa_vdpve data.root=VDPVE trainer=ddp", "a published recipe, on all GPUs of this machine"),
        (
            "data=demo trainer.limit_train_batches=20 trainer.precision=bf16-mixed debug=fast",
            "does it run? any argument of Lightning's Trainer may be given as trainer.NAME",
        ),
        ("output=runs/demo resume=auto branch=vqa data=demo", "go on with a stopped run, or start it"),
        ("-m seed=1,2,3 branch=iqa,vqa data=demo", "a sweep: every combination, and a table of them all"),
        ("--config-dir my_conf experiment=mine", "configs of your own, beside those of the project"),
    ],
    "predict": [
        ("ckpt=best.ckpt input=video.mp4", "score one video"),
        ("ckpt=best.ckpt input=videos output=scores.csv", "score a folder; once more: go on where it stopped"),
        ("ckpt=zoomvqa-vqa-vdpve input='videos/*.mp4'", "with public weights"),
        ("ckpt=best.ckpt data=konvid1k data.root=KONVID split=val", "score a part of a labelled set"),
        ("ckpt=best.ckpt input=videos device=cuda precision=bf16-mixed", "on a GPU, in half precision"),
    ],
    "evaluate": [
        ("ckpt=best.ckpt data=[lsvq_test,konvid1k] data.root=SETS", "SRCC, PLCC, KRCC and RMSE on two sets"),
        ("ckpt=[a.ckpt,b.ckpt] data=konvid1k data.root=KONVID", "two checkpoints, compared on the same videos"),
        ("predictions=scores.csv annotations=mos.csv", "scores of anybody's method"),
        ("ckpt=best.ckpt data=konvid1k data.root=KONVID probe=ridge", "with a baseline as a line to beat"),
    ],
    "check_data": [
        ("data=konvid1k data.root=KONVID", "look a known set over before training"),
        ("data=folder data.root=VIDEOS data.annotations=scores.csv", "videos of your own"),
        ("data=[lsvq,konvid1k] data.root=SETS", "several sets, and whether they share videos"),
        ("data=konvid1k data.root=KONVID decode=false", "quickly: what containers say, and first frames"),
    ],
    "convert_checkpoint": [
        ("input=release.pth output=ours.ckpt", "a public file as one of ours"),
        ("input=best.ckpt output=release.pth format=release", "the other way"),
        ("input=fast-vqa-b output=patch6.ckpt patch=6", "with patches of another size"),
        ("input=fused.ckpt output=iqa.ckpt take=iqa", "one branch of a fusion"),
    ],
    "extract_frames": [
        ("input=videos output=frames", "two frames a second of every video, as PNG"),
        ("input=video.mp4 output=frames fps=1", "one video, a frame a second"),
        ("input='videos/*.mp4' output=frames workers=8", "eight videos at the same time"),
        ("input=list.txt output=frames reader=pyav", "the videos of a list, with another reader"),
    ],
    "fuse": [
        ("iqa=iqa.txt vqa=vqa.txt output=fused.txt", "two files of predictions as one"),
        ("iqa=iqa.csv vqa=vqa.csv output=fused.txt share=0.3", "with a smaller share of the IQA branch"),
        ("iqa=iqa.csv vqa=vqa.csv output=fused.txt rescaled=[]", "where neither file is rescaled yet"),
        ("iqa=iqa.txt vqa=vqa.txt output=fused.txt overwrite=true", "again"),
    ],
    "make_ladder": [
        ("sources=pristine output=ladder", "a labelled set out of pristine videos"),
        ("sources=demo output=ladder", "out of the demo's own clips"),
        ("sources=pristine output=ladder rungs=15 segments=5", "a larger one"),
        ("sources=pristine output=ladder height=720 seconds=4", "larger and longer clips"),
    ],
}  # fmt: skip
