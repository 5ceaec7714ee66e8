"""One page a dataset, on which a person sees what was found, and rules on it."""
