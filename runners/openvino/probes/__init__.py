"""What of a probed feature's network OpenVINO really runs."""
