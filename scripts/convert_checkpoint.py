"""Checkpoints in each other's formats: python scripts/convert_checkpoint.py input=FILE output=FILE."""

from zoomvqa.cli.convert_checkpoint import main

if __name__ == "__main__":
    main()
