"""A cleaned dataset for others: manifest, card, Croissant, recipe, and how to load it."""
