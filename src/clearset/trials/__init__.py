"""Faults planted into a sample of a dataset's own images, and what is then measured of them."""
