"""Train a branch: python train.py branch=iqa data=demo."""

from zoomvqa.cli.entry import start

if __name__ == "__main__":
    start("train")
