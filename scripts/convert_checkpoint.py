"""Checkpoints in each other's formats: python scripts/convert_checkpoint.py input=FILE output=FILE."""

from zoomvqa.cli.entry import start

if __name__ == "__main__":
    start("convert_checkpoint")
