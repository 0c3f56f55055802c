"""Inside an image: a cell goes in, events come out, a manifest is left behind.

Python 3.8 code. numpy comes with every framework; a framework is imported only by the
modules of its own folder.
"""
