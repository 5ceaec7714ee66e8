"""Versions of a dataset in git and DVC: published, set side by side, and agreed with."""
