"""Evaluation as the field reports it: protocols of splits, predictions against labels, tables."""
