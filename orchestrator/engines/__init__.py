"""Where cells run: the contract in ``base``, one file or folder an engine, found by ``registry``."""
