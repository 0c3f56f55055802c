"""A model whose weights are in a lower type once and for all, for what is called many times."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class InLowPrecision(nn.Module):
    """Preprocessing and batch normalization in float32, everything else in ``dtype``.

    float32 in and out. Autocast casts every weight at each call, also inside a CUDA graph; and
    like autocast this leaves the statistics of batch normalization alone.
    """

    def __init__(self, model: Any, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        self.preprocess = getattr(model, "preprocess", nn.Identity())
        self.layers = getattr(model, "layers", model).to(dtype)
        for module in self.layers.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.float()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layers(self.preprocess(x).to(self.dtype)).float()
        return logits
