"""Training steps of this package and of the public code on the same weights and batches."""
