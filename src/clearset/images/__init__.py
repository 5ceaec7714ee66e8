"""Pixels at the door: files decoded, written like another file, and known by what they hold."""
