"""An image -> a number: metrics, vessels, masks."""
