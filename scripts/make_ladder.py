"""Make a labelled set from pristine videos: python scripts/make_ladder.py sources=DIR output=DIR."""

from zoomvqa.cli.entry import start

if __name__ == "__main__":
    start("make_ladder")
