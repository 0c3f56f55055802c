"""The names of the files that one cell leaves and another starts from."""

WEIGHTS_FILE = "weights.h5"
TFLITE_FILE = "model.tflite"
