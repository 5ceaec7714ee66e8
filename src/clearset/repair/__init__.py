"""An image -> a better one: enhancements, steps, and `ImproveImage`."""
