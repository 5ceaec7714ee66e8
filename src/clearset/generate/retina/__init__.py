"""Generated eyes: vessel trees, their masks, and light."""
