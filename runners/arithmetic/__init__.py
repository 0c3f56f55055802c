"""The arithmetic of shafique2023's section 3 in plain numpy: a reference, not a fast path.

Equations 1 to 3, 7 to 9 and 13 to 15 are ``quantizers``, the calibrators of section 3.5 are
``calibrators`` and ``histograms``, Equation 12 is ``quantization_error``, section 3.1's formats are
``float_formats``, and section 3.7.2's loss scaling is ``gradients``. ``quantizer_trial`` lays a
framework's own quantizer beside them. Every function runs inside every image.
"""
