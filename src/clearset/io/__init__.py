"""Paths, tables, images, archives: everything that touches the disk or the network."""
