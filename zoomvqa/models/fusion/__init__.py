"""Branches as one network."""
