"""The numeric core: arithmetic on pixels that gives the same bits on every machine."""
