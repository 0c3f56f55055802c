"""The names of the files that one cell leaves and another starts from."""

IR_FILE = "model.xml"
"""OpenVINO's own form: the graph; its constants lie beside it."""
IR_CONSTANTS_FILE = "model.bin"
TFLITE_FILE = "model.tflite"
"""What a cell of TensorFlow that converts leaves."""
