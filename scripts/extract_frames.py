"""Write frames as pictures: python scripts/extract_frames.py input=DIR output=DIR fps=2."""

from zoomvqa.cli.entry import start

if __name__ == "__main__":
    start("extract_frames")
