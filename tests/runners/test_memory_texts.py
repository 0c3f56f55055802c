"""The words for memory that ran out, and those that only sound like it.

From the sources of torch (CUDACachingAllocator, alloc_cpu, Exceptions.h), cuDNN's and cuBLAS's
status names, TensorFlow (bfc_allocator, gpu_util, conv_ops), XLA (stream_executor's allocators),
TensorRT's log and Torch-TensorRT's runtime, and from reports of people who met them.
"""

from __future__ import annotations

import pytest

from runners.failures import classify, may_be_out_of_memory


def of_type(name: str, base: type[Exception] = RuntimeError) -> type[Exception]:
    """A type named as a framework's own; frameworks are not installed here."""
    return type(name, (base,), {})


OutOfMemoryError = of_type("OutOfMemoryError")
AcceleratorError = of_type("AcceleratorError")
XlaRuntimeError = of_type("XlaRuntimeError")
BackendCompilerFailed = of_type("BackendCompilerFailed")
InductorError = of_type("InductorError")
OpError = of_type("OpError", Exception)
ResourceExhaustedError = of_type("ResourceExhaustedError", OpError)
InternalError = of_type("InternalError", OpError)
NotFoundError = of_type("NotFoundError", OpError)
UnknownError = of_type("UnknownError", OpError)
InvalidArgumentError = of_type("InvalidArgumentError", OpError)
OutOfResources = of_type("OutOfResources", Exception)
Fail = of_type("Fail", Exception)
RuntimeException = of_type("RuntimeException", Exception)

OUT_OF_MEMORY = [
    # torch
    OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity"),
    OutOfMemoryError("Allocation on device 0 would exceed allowed memory."),
    AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be reported later"),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError("CUDA driver error: out of memory"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:114] data. DefaultCPUAllocator: can't allocate "
                 "memory: you tried to allocate 4000000000000 bytes."),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 400000 bytes."),
    RuntimeError("unable to mmap 576 bytes from file </weights>: Cannot allocate memory (12)"),
    RuntimeError("std::bad_alloc"),
    RuntimeError("could not create a memory object"),
    BackendCompilerFailed("backend='inductor' raised:\nOutOfMemoryError: CUDA out of memory."),
    RuntimeError("cudaErrorMemoryAllocation"),
    # cuDNN, cuBLAS and their kin
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cusolver error: CUSOLVER_STATUS_ALLOC_FAILED"),
    RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"),
    # ONNX Runtime, as version 1.31 says it of its arena and of C++'s allocator
    Fail("[ONNXRuntimeError] : 1 : FAIL : Non-zero status code returned while running Conv node. "
         "Name:'stem_relu_nchwc' Status Message: bfc_arena.cc:360 void* onnxruntime::BFCArena::"
         "AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for "
         "requested buffer of size 5242880000"),
    RuntimeException("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned "
                     "while running Conv node. Status Message: bad allocation"),
    # OpenVINO's plug-in for GPUs
    RuntimeError("Exception from src/inference/src/cpp/infer_request.cpp:223:\n"
                 "[GPU] Exceeded max size of memory object allocation: Requested 9 GB"),
    RuntimeError("Check failed: [GPU] buffer allocation failed"),
    # TensorFlow
    ResourceExhaustedError("OOM when allocating tensor with shape[128,512] and type float"),
    ResourceExhaustedError("failed to allocate memory [Op:AddV2]"),
    ResourceExhaustedError("{{function_node __wrapped__Mul}} Failed to allocate request for "
                           "4.00GiB (4294967296B) on device ordinal 0"),
    ResourceExhaustedError("Graph execution error"),
    InternalError("Failed copying input tensor from CPU:0 to GPU:0 in order to run _EagerConst: "
                  "Dst tensor is not initialized."),
    InternalError("CUDA runtime implicit initialization on GPU:0 failed. Status: out of memory"),
    InternalError("cudaGetDevice() failed. Status: CUDA_ERROR_OUT_OF_MEMORY"),
    NotFoundError("No algorithm worked!  Error messages:\n  Profiling failure on CUDNN engine 1: "
                  "RESOURCE_EXHAUSTED: Requested memory size (8589934592) exceeds the limit."),
    UnknownError("CUDNN_STATUS_ALLOC_FAILED in cudnnCreate"),
    # XLA
    XlaRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes."),
    XlaRuntimeError("RESOURCE_EXHAUSTED: Failed to allocate request for 6.71GiB (7208960000B)"),
    InternalError("Failed to allocate request for 1.2KiB (1200B) on device ordinal 0"),
    # TensorRT
    RuntimeError("[Error thrown at core/runtime] Error Code 2: OutOfMemory (Requested size was "
                 "811032832 bytes.)"),
    RuntimeError("[TRT] [E] 2: [virtualMemoryBuffer.cpp::resizePhysical::140] Error Code 2: "
                 "OutOfMemory (no further information)"),
    RuntimeError("Requested amount of GPU memory (3887181312 bytes) could not be allocated."),
    RuntimeError("Error Code 1: Cuda Runtime (out of memory)"),
    # The system
    MemoryError("Unable to allocate 3.55 GiB for an array with shape (953674316,)"),
    OSError(12, "Cannot allocate memory"),
]  # fmt: skip

# Memory is one reason among others: the GPU's free memory tells.
PERHAPS = [
    RuntimeError("GET was unable to find an engine to execute this computation"),
    RuntimeError("FIND was unable to find an engine to execute this computation"),
    RuntimeError("Unable to find a valid cuDNN algorithm to run convolution"),
    RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"),
    NotFoundError("No algorithm worked! [Op:Conv2D]"),
    UnknownError("Failed to get convolution algorithm. This is probably because cuDNN failed to "
                 "initialize, so try looking to see if a warning log message was printed above."),
    RuntimeError("Unable to create TensorRT execution context"),
    RuntimeError("could not create a primitive"),
    RuntimeError("could not create a primitive descriptor for a convolution forward propagation"),
    RuntimeError("could not execute a primitive"),
    SystemError("<function _find_and_load at 0x7f> returned NULL without setting an exception"),
    ImportError("libtorch_python.so: failed to map segment from shared object"),
    OSError("libgomp.so.1: failed to map segment from shared object"),
]  # fmt: skip

NEAR_MISSES = [
    RuntimeError("CUDA error: an illegal memory access was encountered"),
    RuntimeError("CUDA error: too many resources requested for launch"),
    RuntimeError("CUDA error: device-side assert triggered"),
    RuntimeError("CUDA error: no kernel image is available for execution on the device"),
    RuntimeError("CUDA error: misaligned address"),
    RuntimeError("CUDA error: unspecified launch failure"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`"),
    RuntimeError("CUDA error: CUBLAS_STATUS_NOT_SUPPORTED when calling `cublasLtMatmul`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_MAPPING_ERROR"),
    RuntimeError("cuDNN error: CUDNN_STATUS_BAD_PARAM_OUT_OF_BOUND"),
    RuntimeError("unable to open shared memory object </torch_1> in read-write mode: No space "
                 "left on device (28)"),
    RuntimeError("unable to allocate shared memory(shm) for file </torch_1>: Out of memory limit"),
    RuntimeError("Pin memory thread exited unexpectedly"),
    RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."),
    RuntimeError("required rank 4 tensor to use channels_last memory format"),
    RuntimeError("mat1 and mat2 shapes cannot be multiplied (64x512 and 1024x10)"),
    RuntimeError("index 10 is out of bounds for dimension 0 with size 10"),
    RuntimeError("NCCL error: unhandled system error"),
    RuntimeError("could not create a view: the shape is no multiple of 8"),
    ValueError("could not create a memory object"),
    ImportError("libgomp.so.1: cannot allocate memory in static TLS block"),
    SystemError("bad argument to internal function"),
    InductorError("RuntimeError: No valid triton configs. OutOfMemoryError: out of resource: "
                  "triton_tem_fused_0 Required: 147456 Hardware limit:101376"),
    OutOfResources("out of resource: shared memory, Required: 147456, Hardware limit: 101376."),
    XlaRuntimeError("RESOURCE_EXHAUSTED: Shared memory size limit exceeded: requested 180224"),
    XlaRuntimeError("RESOURCE_EXHAUSTED: Received message larger than max (5 vs. 4)"),
    XlaRuntimeError("INTERNAL: ptxas exited with non-zero error code 65280"),
    ResourceExhaustedError("/tmp/x.tmp; Too many open files"),
    ResourceExhaustedError("model/variables; No space left on device"),
    InternalError("Blas xGEMM launch failed : a.shape=[1,64,512]"),
    InvalidArgumentError("Incompatible shapes: [64,10] vs. [32,10]"),
    NotFoundError("weights.h5; No such file or directory"),
    RuntimeError("Error Code 1: Cuda Runtime (an illegal memory access was encountered)"),
    RuntimeError("Error Code 10: Internal Error (Could not find any implementation for node)"),
    RuntimeError("Error Code 4: Internal Error (kernel weights has count 512)"),
    ValueError("out of memory is only a word"),
    KeyError("out of memory"),
    OSError(28, "No space left on device"),
    AssertionError("allocation_failed"),
]  # fmt: skip


def _name(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:60]


def test_there_are_enough_of_each() -> None:
    assert len(OUT_OF_MEMORY) >= 25 and len(NEAR_MISSES) >= 25


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=_name)
def test_memory_that_ran_out_is_told_by_its_words(error: Exception) -> None:
    assert classify(error).status == "oom"


@pytest.mark.parametrize("error", NEAR_MISSES, ids=_name)
def test_what_only_sounds_like_it_is_a_crash_even_on_a_full_gpu(error: Exception) -> None:
    assert classify(error, lambda: 0.0).status == "crashed"


@pytest.mark.parametrize("error", PERHAPS, ids=_name)
def test_where_the_words_leave_it_open_the_free_memory_tells(error: Exception) -> None:
    assert may_be_out_of_memory(error)
    assert classify(error).status == "crashed"
    assert classify(error, lambda: None).status == "crashed"
    assert classify(error, lambda: 0.05).status == "crashed"
    full = classify(error, lambda: 0.012)
    assert full.status == "oom"
    assert full.reason.startswith("out of GPU memory, of which 1.2% is free: ")
    limited = classify(error, lambda: 0.0, "memory")
    assert limited.reason.startswith("out of memory, of which 0.0% is free: ")


def test_the_free_memory_is_asked_only_where_the_words_leave_it_open() -> None:
    def ask() -> float:
        raise AssertionError("asked")

    for error in (*OUT_OF_MEMORY, *NEAR_MISSES):
        classify(error, ask)


def test_what_an_error_was_raised_from_counts() -> None:
    with pytest.raises(ValueError) as caught:
        try:
            raise OutOfMemoryError("CUDA out of memory.")
        except RuntimeError as error:
            raise ValueError("the export failed") from error
    assert classify(caught.value).status == "oom"
