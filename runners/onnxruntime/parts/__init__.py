"""What ONNX Runtime's techniques share."""
