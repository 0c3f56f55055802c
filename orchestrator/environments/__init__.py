"""The images' environments: their locks, and virtual environments made from them."""
