"""Engines measure images and describe them; each gives the same tables (`analysis`)."""
