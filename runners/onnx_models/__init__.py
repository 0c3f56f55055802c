"""ONNX, the form in which several runtimes read a network: made from neutral weights."""
