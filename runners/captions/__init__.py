"""Captions: how they are trained, told, judged, and what of a network has to stay in float."""
