"""The models that runners can build, by the names that cells have."""

from __future__ import annotations

MODELS = ("resnet18", "vgg16", "resnet50", "mobilenet-v1")
