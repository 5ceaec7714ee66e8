"""Where things lie, and how they get there whole: tables, columns, hashes, workers, errors."""
