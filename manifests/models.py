"""The models that runners can build, by the names that cells have."""

from __future__ import annotations

MODELS = (
    "resnet18", "resnet18-bn", "vgg16", "resnet50", "mobilenet-v1", "mobilenet-v1-25",
    "mobilenet-v1-50", "mobilenet-v1-shallow", "mobilenet-v1-shallow-50", "vgg4-16", "vgg4-32",
    "vgg4-64", "vgg8-16", "vgg8-32",
)  # fmt: skip
