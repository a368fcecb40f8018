"""From annotations to batches: labels, files, frames, views, the cache and the datamodules."""
