"""The ground floor: what a cell is, what a result is, and how both are kept on disk.

Everything here is Python 3.8 code whose only third-party import is msgspec, because the
same files run on the host and inside old framework images.
"""
