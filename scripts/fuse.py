"""Fuse prediction files: python scripts/fuse.py iqa=preds.txt vqa=preds.txt output=out.txt; see conf/fuse.yaml."""

from zoomvqa.cli.entry import start

if __name__ == "__main__":
    start("fuse")
