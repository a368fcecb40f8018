"""Fuse prediction files: python scripts/fuse.py iqa=preds.txt vqa=preds.txt output=out.txt."""

from zoomvqa.cli.fuse import main

if __name__ == "__main__":
    main()
