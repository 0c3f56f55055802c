"""Precision read from operators and from the names of GPU kernels, without torch."""

from __future__ import annotations

import pytest

from runners.precision_proof import proof_by_type
from tests.runners.kernels import kernels


@pytest.mark.parametrize(
    ("name", "dtypes", "kind"),
    [
        ("aten::_convolution", ["float", "float", "float"], "float32"),
        ("aten::_convolution", ["c10::BFloat16", "c10::BFloat16"], "bfloat16"),
        ("aten::addmm", ["c10::Half", "c10::Half", "c10::Half"], "float16"),
        ("mkldnn::_convolution_pointwise", ["c10::BFloat16", "c10::BFloat16"], "bfloat16"),
        ("mkl::_mkl_linear", ["float", "float"], "float32"),
        ("onednn::qconv_pointwise", ["unsigned char"], "int8"),
        ("onednn::qlinear_pointwise", ["unsigned char"], "int8"),
        ("quantized::conv2d_relu", [""], "int8"),
        ("aten::_int_mm", ["signed char", "signed char"], "int8"),
        ("aten::_scaled_mm", ["c10::Float8_e4m3fn", "c10::Float8_e4m3fn"], "float8"),
        ("aten::mm", [], "unknown"),
        ("aten::conv2d", ["float"], None),
        ("aten::convolution", ["float"], None),
        ("aten::cudnn_convolution", ["float"], None),
        ("aten::relu", ["float"], None),
        ("quantized::add_relu", [""], None),
        ("onednn::qconv_prepack", ["signed char"], "int8"),
    ],
)
def test_operators(name: str, dtypes: list[str], kind: str | None) -> None:
    assert kernels.operator_type(name, dtypes) == kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sm80_xmma_fprop_implicit_gemm_tf32f32_tf32f32_f32_nhwckrsc_nchw_tilesize128x128x16",
         "tf32"),
        ("sm90_xmma_gemm_f32f32_tf32f32_f32_tn_n_tilesize64x64x32_warpgroupsize1x1x1", "tf32"),
        ("cutlass_80_tensorop_s1688gemm_128x64_32x6_tn_align4", "tf32"),
        ("sm80_xmma_fprop_implicit_gemm_indexed_f32f32_f32f32_f32_nhwckrsc_nhwc", "float32"),
        ("cudnn_infer_ampere_scudnn_winograd_128x128_ldg1_ldg4_relu_tile148t_nt_v1", "float32"),
        ("ampere_sgemm_128x64_tn", "float32"),
        ("void implicit_convolve_sgemm<float, float, 128, 6, 7, 3, 3, 5, 1, false>", "float32"),
        ("void at::native::(anonymous namespace)::conv_depthwise2d_forward_kernel<3, float, int>",
         "float32"),
        ("void at::native::(anonymous namespace)::conv_depthwise2d_forward_kernel<3, c10::Half>",
         "float16"),
        ("sm90_xmma_fprop_implicit_gemm_f16f16_f16f32_f32_nhwckrsc_nhwc_tilesize64x256x64",
         "float16"),
        ("ampere_fp16_s16816gemm_fp16_128x128_ldg8_f2f_stages_32x5_tn", "float16"),
        ("turing_fp16_s1688gemm_fp16_128x128_ldg8_f2f_tn", "float16"),
        ("nvjet_hsh_128x256_64x4_1x2_h_bz_coopB_TNT", "float16"),
        ("sm80_xmma_fprop_implicit_gemm_bf16bf16_bf16f32_f32_nhwckrsc_nhwc", "bfloat16"),
        ("nvjet_tst_64x8_64x16_4x1_v_bz_TNT", "bfloat16"),
        ("sm80_xmma_fprop_implicit_gemm_interleaved_i8i8_i8i32_f32_nchw_vect_c_32kcrs", "int8"),
        ("sm89_xmma_gemm_e4m3bf16_e4m3f32_f32_tn_n_tilesize128x64x64", "float8"),
        ("void at::native::vectorized_elementwise_kernel<4, at::native::relu>", None),
        ("triton_poi_fused_convolution_relu_3", None),
        ("Memcpy HtoD (Pageable -> Device)", None),
        ("mystery_conv_kernel", "unknown"),
    ],
)  # fmt: skip
def test_kernels(name: str, kind: str | None) -> None:
    assert kernels.kernel_type(name) == kind


def test_a_proof_counts_what_fell_back() -> None:
    executed = [("aten::_convolution", "float16")] * 3 + [
        ("aten::addmm", "float32"),
        ("relu", None),
    ]
    proof = proof_by_type(kernels.counted(executed), "float16", "a test")
    assert proof.coverage == 0.75
    assert proof.operations == {"float16": {"aten::_convolution": 3}, "float32": {"aten::addmm": 1}}
    assert proof.fallback == ["aten::addmm x1 in float32"]


def test_nothing_seen_is_no_coverage_and_not_zero() -> None:
    assert proof_by_type({}, "int8", "a test").coverage is None


Row = kernels.Row


def test_a_kernels_time_is_its_operators_and_counted_once() -> None:
    rows = [Row("aten::cudnn_convolution", False, 100.0), Row("aten::relu", False, 20.0),
            Row("sm90_xmma_fprop", True, 100.0), Row("elementwise", True, 20.0),
            Row("ProfilerStep#1", True, 130.0, annotation=True),
            Row("aten::conv2d", False, 0.0)]  # fmt: skip
    expected = [("aten::cudnn_convolution", 100.0), ("aten::relu", 20.0)]
    assert kernels.device_times(rows) == ("operators", expected)


def test_in_a_replayed_graph_the_kernels_stand_for_themselves() -> None:
    rows = [Row("aten::copy_", False, 5.0), Row("Memcpy DtoD", True, 5.0),
            Row("sm90_xmma_fprop", True, 100.0)]  # fmt: skip
    expected = [("Memcpy DtoD", 5.0), ("sm90_xmma_fprop", 100.0)]
    assert kernels.device_times(rows) == ("kernels", expected)


def test_nothing_seen_is_no_time_at_all() -> None:
    assert kernels.device_times([Row("aten::conv2d", False, 0.0)]) == ("operators", [])


def test_what_profiling_itself_takes_is_no_operator() -> None:
    """On an H100 the first kernel's time was in its operator and in "Activity Buffer Request"."""
    rows = [Row("aten::cudnn_convolution", False, 49.6),
            Row("Activity Buffer Request", False, 49.6),
            Row("sm80_xmma_gemm", True, 49.6)]  # fmt: skip
    assert kernels.device_times(rows) == ("operators", [("aten::cudnn_convolution", 49.6)])


def test_time_is_split_between_the_gpu_and_the_processor() -> None:
    """Waiting for the GPU is no work of the processor, and profiling itself is nobody's."""
    rows = [Row("aten::cudnn_convolution", False, 40.0, cpu_us=200.0),
            Row("cudaLaunchKernel", False, 0.0, cpu_us=70.0),
            Row("cudaDeviceSynchronize", False, 0.0, cpu_us=900.0),
            Row("Activity Buffer Request", False, 40.0, cpu_us=1800.0),
            Row("sm80_xmma_gemm", True, 40.0), Row("Memset (Device)", True, 2.0),
            Row("ProfilerStep#1", True, 130.0, annotation=True)]  # fmt: skip
    assert kernels.split_times(rows) == (42.0, 270.0)
