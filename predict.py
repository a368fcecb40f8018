"""Score videos: python predict.py ckpt=FILE input=VIDEO."""

from zoomvqa.cli.predict import main

if __name__ == "__main__":
    main()
