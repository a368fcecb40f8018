"""What this package uses of other libraries that they do not document: a function each, with a way without it.

Each function looks whether what it needs is there. The table in CONTRIBUTING.md lists them.
"""
