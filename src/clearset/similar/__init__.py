"""Images against each other: neighbours, links, duplicates, registration, leaks."""
