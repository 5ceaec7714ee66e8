"""Generated ground: land, settlements, and the 16-bit tiles that a satellite sees of it."""
