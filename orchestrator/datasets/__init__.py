"""Preparing data sets once, on the host, as packs that every runner reads the same way."""
