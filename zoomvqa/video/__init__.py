"""From a video file to pictures: timestamps, which frames, and the readers that decode them."""
