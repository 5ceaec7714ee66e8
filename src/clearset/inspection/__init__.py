"""`clearset.check`: all stages on a person's images, from Python or a shell, without a project."""
