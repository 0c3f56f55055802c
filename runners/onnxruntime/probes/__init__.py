"""What of a probed feature's network ONNX Runtime really ran."""
