"""The smallest torch network of each probed feature, and what of it really ran."""
