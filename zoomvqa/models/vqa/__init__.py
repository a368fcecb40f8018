"""The VQA branch: fragments of clips."""
