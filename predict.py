"""Score videos: python predict.py ckpt=FILE input=VIDEO."""

from zoomvqa.cli.entry import start

if __name__ == "__main__":
    start("predict")
