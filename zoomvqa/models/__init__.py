"""The networks, each in a folder with its Lightning module."""
