"""The sub-commands of `clearset`: a file each."""
