"""The binary network on an FPGA, as BNN-PYNQ runs it (shafique2023, section 6.4).

It can't run here, and nothing is timed. What needs no FPGA is recorded: the products of the QONNX
file by kind, and the bytes that its weights of one bit take.
"""

from __future__ import annotations

from runners.brevitas.parts.steps import describe_file
from runners.failures import Unsupported
from runners.job import Job


def infer(job: Job) -> None:
    describe_file(job)
    raise Unsupported(
        "needs an FPGA board that PYNQ knows, and FINN with AMD's Vivado to make its bitstream "
        "from the QONNX file; this is a host. Technique w1a1 executes the same file bit by bit "
        "with qonnx, and framework larq executes the same network in packed form"
    )
