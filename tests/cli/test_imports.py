"""What commands import before they know what is asked of them: it costs seconds and memory at every start."""

import subprocess
import sys

import pytest

CODE = """if True:
    import sys
    import torch
    before = set(sys.modules)
    import zoomvqa.cli.predict
    print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))"""


@pytest.mark.parametrize("code", [CODE, CODE.replace("zoomvqa.cli.predict", "zoomvqa.scoring.feeders")])
def test_scoring_takes_only_what_it_needs(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "zoomvqa" in loaded
    assert not loaded & {
        "lightning",
        "torchmetrics",
        "scipy",
        "matplotlib",
        "aiohttp",
        "fsspec",
        "ray",
        "decord",
        "timm",
        "torchvision",
    }


def test_what_decodes_takes_no_torch():
    code = "import sys, zoomvqa.scoring.feeders; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
