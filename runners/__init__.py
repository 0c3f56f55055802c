"""Inside an image: a cell goes in, events come out, a manifest is left behind.

Python 3.8 code. numpy comes with every framework; a framework is imported only by the
modules of its own folder. Folders called ``runners`` on REPLIQUANT_PATH belong to this package:
their modules are found after its own.
"""

from manifests import paths

__path__.extend(str(folder) for folder in paths.outside("runners"))
