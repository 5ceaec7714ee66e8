"""Seeded stand-ins for real images, with exact truth."""
