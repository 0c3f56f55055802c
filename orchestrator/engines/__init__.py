"""Where cells run: the contract in ``base``, a file or folder an engine, found by ``registry``."""
