"""TensorFlow Lite Micro's techniques, one file each; what they are made of is in ``parts``.

They start from a .tflite file that a cell of another framework left. On the host the interpreter
for microcontrollers has its reference kernels, whose integers CMSIS-NN's kernels on a Cortex-M have
to reproduce.
"""
