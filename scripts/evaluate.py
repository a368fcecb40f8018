"""How good predictions are: python scripts/evaluate.py ckpt=FILE data=[lsvq_test,konvid1k] data.root=FOLDER."""

from zoomvqa.cli.entry import start

if __name__ == "__main__":
    start("evaluate")
