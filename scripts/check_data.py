"""Look a labelled set over: python scripts/check_data.py data=NAME data.root=FOLDER."""

from zoomvqa.cli.entry import start

if __name__ == "__main__":
    start("check_data")
