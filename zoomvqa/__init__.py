"""No-reference video quality assessment: patches, frames and clips."""

__version__ = "0.1.0"
