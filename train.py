"""Train a branch: python train.py branch=iqa data=demo."""

from zoomvqa.cli.train import main

if __name__ == "__main__":
    main()
