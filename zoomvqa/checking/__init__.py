"""Checks of a labelled set before days are spent on it."""
