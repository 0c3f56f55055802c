"""How torch models are called: placement, call and classes, without gradients."""

from __future__ import annotations

import torch

from runners.inference import Array, Session


def session(model: torch.nn.Module, device: torch.device) -> Session:
    """Calls on float32 NCHW tensors that lie on ``device``."""

    def place(images: Array) -> torch.Tensor:
        return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().to(device)

    def call(inputs: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            logits: torch.Tensor = model(inputs)
        return logits

    def classes(logits: torch.Tensor) -> Array:
        return logits.argmax(1).cpu().numpy()

    waits = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    return Session(place, call, classes, waits)
