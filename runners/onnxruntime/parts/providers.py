"""ONNX Runtime's execution providers: which one a technique runs on, and with what options.

The names and options are those of onnxruntime.ai's pages on the CUDA and TensorRT providers. No
provider stands in for another: what a GPU's provider doesn't take is an error, not the processor's.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import onnxruntime

from runners.failures import Unsupported
from runners.job import Job

Provider = Tuple[str, Dict[str, Any]]

CPU, CUDA, TENSORRT = (f"{name}ExecutionProvider" for name in ("CPU", "CUDA", "Tensorrt"))
_CUDA_OPTIONS = {
    "device_id": "0",
    "cudnn_conv_algo_search": "EXHAUSTIVE",  # as torch and TensorFlow try cuDNN's algorithms
    "use_tf32": "0",
}
_TENSORRT_OPTIONS = {"device_id": "0", "trt_engine_cache_enable": "0"}
_OF_GPU: Dict[str, List[Provider]] = {
    "cuda": [(CUDA, _CUDA_OPTIONS)],
    "tensorrt-int8": [
        (TENSORRT, {**_TENSORRT_OPTIONS, "trt_int8_enable": "1"}),
        (CUDA, _CUDA_OPTIONS),
    ],
}
"""By technique; TensorRT leaves to CUDA what it doesn't take, and the proof shows it."""


def providers_of(job: Job) -> List[Provider]:
    """Those of the cell's technique. Raises Unsupported for another device, or a build without."""
    technique = job.cell.technique
    wanted = _OF_GPU.get(technique, [(CPU, {})])
    if job.cell.device == "cpu" and technique in _OF_GPU:
        raise Unsupported(f"{technique} needs an NVIDIA GPU; this cell is for a processor")
    if job.cell.device != "cpu" and technique not in _OF_GPU:
        raise Unsupported(
            f"{technique} runs on a processor. On a GPU there are: {', '.join(_OF_GPU)}"
        )
    there = onnxruntime.get_available_providers()
    if wanted[0][0] not in there:
        raise Unsupported(
            f"this build of ONNX Runtime has no {wanted[0][0]}; it has {', '.join(there)}"
        )
    return wanted


def check_taken(wanted: List[Provider], taken: List[str]) -> None:
    """Raises Unsupported where the runtime opened a model without the provider that was asked for.

    So it does, with a warning, where a provider's libraries can't be loaded.
    """
    if wanted[0][0] not in taken:
        raise Unsupported(
            f"ONNX Runtime could not load its {wanted[0][0]} and took {', '.join(taken)} instead: "
            "its log names the library"
        )
