"""Models trained on raw and on repaired images."""
