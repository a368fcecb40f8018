"""Write frames as pictures: python scripts/extract_frames.py input=DIR output=DIR fps=2."""

from zoomvqa.cli.extract_frames import main

if __name__ == "__main__":
    main()
