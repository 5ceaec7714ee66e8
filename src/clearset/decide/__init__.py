"""Rules -> flags, every image's fate, and the counts that others published."""
