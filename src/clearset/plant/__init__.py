"""Known faults planted into images, so that detectors and repairs have a truth."""
