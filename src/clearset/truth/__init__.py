"""How far flags can be trusted: detectors scored on known truth, and bounds chosen on it."""
