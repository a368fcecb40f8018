"""Both branches as one network."""
