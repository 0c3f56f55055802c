"""What the Docker engine is made of: the daemon, images, settings, transfer, streams, reaping."""
