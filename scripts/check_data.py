"""Look a labelled set over: python scripts/check_data.py data=NAME data.root=FOLDER."""

from zoomvqa.cli.check_data import main

if __name__ == "__main__":
    main()
