"""The IQA branch: patches and frames."""
