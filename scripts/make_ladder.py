"""Make a labelled set from pristine videos: python scripts/make_ladder.py sources=DIR output=DIR."""

from zoomvqa.cli.make_ladder import main

if __name__ == "__main__":
    main()
