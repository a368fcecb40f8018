"""Typed settings: what the configs may say, checked before any work starts."""
