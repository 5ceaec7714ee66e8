"""The seven stages, a file each: read, call, write. The scripts in src/ and `check` run them."""
