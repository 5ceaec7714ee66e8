"""What a repair did: evidence without masks, gains by masks, before and after."""
