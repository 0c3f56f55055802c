"""Names of GPU kernels, by family: each in its type, none dropped, none counted twice.

Spelled as profilers and builders print them: cuDNN 7 to 9 and cuBLAS (nvprof, Nsight Systems and
torch.profiler listings in public repositories), cuBLASLt's nvjet (CUDA 12.8 and 13), CUTLASS
(its profiler's operation names), TensorRT 7 to 10 (tactic names in its verbose log), Inductor's
Triton templates, torch's and TensorFlow's own kernels.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.runners.kernels import kernels

RECORDED = Path(__file__).parent / "recorded" / "kernels-h100.json"
"""Type -> what gpu-check saw on an H100 (torch 2.11, CUDA 13.0, cuDNN 9.19); "around": no
arithmetic of a convolution or product; "unknown": cuDNN's names for depthwise convolutions."""

XMMA = "sm80_xmma_fprop_implicit_gemm_"
GEMV = "cublasGemvParams<cublasGemvTensorStridedBatched<float const>, float>"

# Type -> kernels that do the arithmetic of a convolution or a product in it.
COMPUTING = {
    "float32": [
        # cuDNN
        "maxwell_scudnn_128x32_relu_medium_nn",
        "maxwell_scudnn_winograd_128x128_ldg1_ldg4_tile148n_nt",
        "volta_scudnn_128x64_sliced1x2_ldg4_relu_exp_large_nhwc_tn_v1",
        "volta_scudnn_winograd_128x128_ldg1_ldg4_relu_tile148t_nt_v1",
        "turing_scudnn_128x64_stridedB_splitK_xregs_large_nn_v1",
        "ampere_scudnn_128x64_relu_xregs_large_nn_v1",
        "_5x_cudnn_ampere_scudnn_128x64_relu_xregs_large_nn_v1",
        "cudnn_infer_ampere_scudnn_winograd_128x128_ldg1_ldg4_relu_tile148t_nt_v1",
        "void cudnn::winograd::winograd3x3Kernel<float, float, 2, 32>(float const*)",
        "void cudnn::detail::implicit_convolve_sgemm<float, float, 1024, 5, 5, 3, 3, 3, 1, true>",
        "void precomputed_convolve_sgemm<float, 1024, 5, 5, 4, 3, 3, 1, false>(int, int, int)",
        "void cudnn::detail::dgrad_engine<float, 128, 6, 7, 3, 3, 5, true>(int, int, int)",
        "void cudnn::detail::wgrad_alg0_engine<float, 128, 6, 7, 3, 3, 5, true, 512>(int)",
        "void cudnn::detail::dgrad2d_alg1_1<float, 0, 6, 7, 5, 4, 5, false, true>(int)",
        "void cudnn::cnn::conv2d_grouped_direct_kernel<false, true, false, float, float>",
        "void cudnn::cnn::wgrad2d_grouped_direct_kernel<float, float, int, float, 3>",
        "convolve_common_engine_float_NHWC",
        f"{XMMA}indexed_f32f32_f32f32_f32_nhwckrsc_nhwc_tilesize128x64x8_stage3",
        "sm50_xmma_fprop_conv2d_c1_k1_f32f32_f32_f32_nchwkcrs_nchw_tilesize10x40x8",
        # cuBLAS
        "volta_sgemm_128x64_nn", "ampere_sgemm_32x128_tn", "volta_gcgemm_32x32_nt",
        "void fermiPlusCgemmLDS128_batched<float2, float2, float2, float, false>",
        f"void gemv2N_kernel_val<float, float, float, 128, 32, 4, 4, 1, {GEMV} >",
        f"void gemv2T_kernel_val<int, int, float, float, float, 128, 16, 2, 2, false, {GEMV} >",
        f"void gemvNSP_kernel<float, float, float, 1, 16, 4, 1024, {GEMV} >",
        "void gemmk1_kernel<int, float, 256, 5, true, false, false, false>",
        "void gemmSN_TN_kernel<float, 128, 16, 2, 4, 4, 4, true>",
        "void internal::gemvx::kernel<int, int, float, float, float, float, false, true>",
        "void dot_kernel<float, 128, 0, cublasDotParams<cublasGemvTensorStridedBatched<float> > >",
        # CUTLASS, torch, TensorFlow
        "void cutlass::Kernel2<cutlass_80_simt_sgemm_128x256_8x4_nn_align1>(T1::Params)",
        "void at::native::(anonymous namespace)::conv_depthwise2d_forward_kernel<3, float, int>",
        "void tensorflow::DepthwiseConv2dGPUKernelNHWC<float, 3, 3, 1>(DepthwiseArgs)",
        # TensorRT
        "trt_maxwell_scudnn_128x32_relu_interior_nn_v1",
    ],
    "tf32": [
        f"{XMMA}tf32f32_tf32f32_f32_nhwckrsc_nchw_tilesize128x128x16_stage4_warpsize2x2x1_g1",
        f"{XMMA}f32f32_tf32f32_f32_nhwckrsc_nhwc_tilesize256x64x32_stage3",
        f"{XMMA}indexed_wo_smem_f32f32_tf32f32_f32_nhwckrsc_nhwc",
        "sm90_xmma_gemm_f32f32_tf32f32_f32_tn_n_tilesize64x64x32_warpgroupsize1x1x1",
        "cutlass__5x_cudnn::Kernel<cutlass_tensorop_s1688fprop_optimized_tf32_64x64_16x10_nhwc>",
        "void cutlass::Kernel2<cutlass_80_tensorop_s1688gemm_128x256_16x3_nn_align4>(T1::Params)",
        "void cutlass::Kernel<cutlass_80_tensorop_s1688gemm_256x64_16x4_nn_align4>(T1::Params)",
        "nvjet_sss_tf32_128x256_TNT", "nvjet_sm100_sss_64x32_64x16_2x1_h_bz_TNT",
    ],
    "float16": [
        # cuDNN and cuBLAS on Volta, Turing, Ampere
        "volta_fp16_s884cudnn_fp16_128x128_ldg8_relu_f2f_exp_small_nhwc_tn_v1",
        "volta_h884cudnn_256x128_ldg8_relu_exp_small_nhwc_tn_v1",
        "volta_fp16_s884gemm_fp16_128x64_ldg8_f2f_nn", "volta_h884gemm_64x64_nt",
        "turing_fp16_s1688cudnn_fp16_128x128_ldg8_relu_f2f_exp_medium_nhwc_gelu_tn_v1",
        "turing_h1688cudnn_256x128_ldg8_relu_exp_medium_nhwc_tn_v1",
        "ampere_fp16_s16816gemm_fp16_128x128_ldg8_f2f_stages_64x3_tn",
        "ampere_h16816gemm_64x64_ldg8_stages_64x5_tn",
        f"{XMMA}indexed_f16f16_f16f32_f32_nhwckrsc_nhwc_tilesize128x128x64",
        "sm80_xmma_wgrad_implicit_gemm_indexed_f16f16_f16f32_f32_nhwckrsc_nhwc_tilesize64x64x64",
        "sm75_xmma_dgrad_implicit_gemm_f16f16_f16f32_f16_nhwckrsc_nhwc",
        "void conv2d_c1_k1_nhwc_kernel_specialized<__half, __half, __half, float, float, 5, 1, 8>",
        "void xmma_cudnn::depthwiseConvHMMA<3, 1, 64>(DepthwiseParams)",
        "void gemv2T_kernel_val<int, int, __half, __half, __half, float, 128, 16, 2, 4, false>",
        "nvjet_hsh_128x256_64x4_1x2_h_bz_coopB_TNT", "nvjet_hss_320x128_64x3_1x2_h_bz_TNT",
        "nvjet_sm90_hss_64x8_64x16_1x1_h_bz_splitK_NNT",
        # CUTLASS and TensorRT
        "cutlass_tensorop_f16_s16816fprop_optimized_f16_128x128_32x4_nhwc_align8",
        "void cutlass::Kernel2<cutlass_80_wmma_tensorop_f16_s161616gemm_f16_16x16_128x2_tn>",
        "trt_ampere_h16816cudnn_64x128_sliced1x2_ldg8_relu_exp_stages_64x4_medium_nhwc_tn",
    ],
    "bfloat16": [
        f"{XMMA}bf16bf16_bf16f32_f32_nhwckrsc_nhwc_tilesize128x128x64",
        "ampere_bf16_s16816gemm_bf16_128x64_ldg8_f2f_stages_64x3_tn",
        "void cutlass::Kernel2<cutlass_80_tensorop_bf16_s16816gemm_relu_bf16_256x128_32x3_tn>",
        "nvjet_tst_192x192_64x4_2x1_v_bz_coopB_TNN", "nvjet_tss_128x8_64x12_2x1_v_bz_TNT",
        "nvjet_sm100_tst_64x32_64x16_2x1_2cta_h_bz_splitK_TNT",
        "nvjet_sm120_tst_mma_64x64x128_3_32x32x128_tmaAB_alignCD4_bz_TNNN",
        "void at::native::(anonymous namespace)::conv_depthwise2d_forward_kernel<3, c10::BFloat16>",
        "void dot_kernel<float, 128, 0, cublasDotParams<cublasGemvTensor<__nv_bfloat16> > >",
    ],
    "int8": [
        f"{XMMA}interleaved_i8i8_i8i32_f32_nchw_vect_c_32kcrs_vect_c_32_nchw_vect_c_32",
        f"{XMMA}i8f32_i8i32_f32_nhwckrsc_nhwc_tilesize64x64x64_tensor16x8x32",
        "sm80_xmma_gemm_i8i8_i8i32_f32_tn_n_tilesize64x64x64_stage4_warpsize2x2x1_tensor16x8x32",
        "turing_fp16_i8816cudnn_int8_256x64_ldg16_relu_singleBuffer_small_nt_v1",
        "trt_volta_int8x4_icudnn_int8x4_128x128_relu_small_nn_v1",
        "trt_maxwell_fp32_icudnn_int8x4_128x128_relu_small_nn_v1",
        "cutlass_tensorop_i16832fprop_optimized_s8_256x128_64x3_nhwc_align16",
        "void cutlass::Kernel2<cutlass_80_tensorop_i16832gemm_s8_256x128_64x3_tn_align16>",
        "void cutlass::Kernel2<cutlass_80_tensorop_s8_i16832gemm_s8_128x128_64x5_tn_align16>",
        "triton_tem_fused__int_mm__to_copy_add_mul_4",
    ],
    "float8": [
        "sm89_xmma_gemm_e4m3bf16_e4m3f32_f32_tn_n_tilesize128x64x64",
        "sm89_xmma_gemm_e4m3e4m3_e4m3f32_f32_tn_n_tilesize64x64x64_execute_kernel_trt",
        "nvjet_sm90_qqtst_128x128_128x6_1x2_h_bz_ovscale_TNT", "nvjet_qqtst_64x32_128x6_1x2_v",
        "void cutlass::device_kernel<at::cuda::detail::enable_3x_kernel_for_sm9x<"
        "cutlass::gemm::kernel::GemmUniversal<float_e4m3_t> > >",
        "triton_tem_fused__scaled_mm_clone_2",
    ],
    "float64": ["volta_dgemm_64x64_nn", "cutlass::Kernel2<cutlass_80_tensorop_d884gemm_64x64>"],
    # The name says what, and not in which type.
    "unknown": [
        "triton_tem_fused_convolution_relu_1", "triton_tem_fused_addmm_0", "gemm_fusion_dot_744",
    ],
}  # fmt: skip
# What stands around them: the operation of each is counted by its main kernel already.
AROUND = [
    "void cudnn::ops::nchwToNhwcKernel<__half, __half, float, false, true>",
    "void cudnn::ops::nhwcToNchwKernel<float, float, float, true, false>",
    "void cudnn::ops::convertTensor_kernel<float, __half, float, (cudnnKernelDataType_t)0>",
    "void cudnn::ops::scalePackedTensor_kernel<float, float>",
    "void cask__5x_cudnn::computeOffsetsKernel<false, false>(ComputeOffsetsParams)",
    "void cudnn::winograd::generateWinogradTilesKernel<0, float, float>",
    "void cudnn::winograd_nonfused::winogradForwardFilter4x4<float, float>",
    "void cudnn::winograd_nonfused::winogradForwardData4x4<float, float>",
    "void cudnn::winograd_nonfused::winogradForwardOutput4x4<float, float>",
    "void cudnn::winograd_nonfused::winogradForwardFilter9x9_5x5<float, __half>",
    "void fft2d_r2c_32x32<__half, false, 5u, false>(float2*, __half const*, int)",
    "void fft2d_c2r_32x32<float, false, false, 0u, false, false>",
    "void flip_filter<float, float>(float*, float const*, int, int, int, int)",
    "compute_gemm_pointers(float2**, float2 const*, int, float2 const*, int)",
    "void cublasLt::splitKreduce_kernel<32, 16, int, float, __nv_bfloat16, float, true>",
    "void splitKreduce_kernel<32, 16, int, float, cublasGemvTensorStridedBatched<float> >",
    "void reduce_1Block_kernel<float, 128, 7, cublasGemvTensorStridedBatched<float> >",
    "void cutlass::reduction::kernel::ReduceSplitK<float, 128>",
    "triton_tem_fused_addmm_0_reduce_k",
    "triton_poi_fused_convolution_relu_3", "triton_per_fused_convolution_mean_2",
    "triton_red_fused_convolution_native_batch_norm_5",
    "void at::native::im2col_kernel<float>(long, float const*, long, long)",
    "void at::native::vectorized_elementwise_kernel<4, at::native::CUDAFunctor_add<float> >",
    "void at::native::elementwise_kernel<128, 4, at::native::direct_copy_kernel_cuda>",
    "void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float, at::native::MeanOps> >",
    "void at::native::batch_norm_transform_input_channels_last_kernel<float, float, float, 4>",
    "void cudnn::bn_fw_inf_1C11_kernel_NCHW<float, float, true, 1>",
    "void cudnn::pooling_fw_4d_kernel<__half, float, cudnn::maxpooling_func<float, __half> >",
    "sm50_xmma_pooling_max_nhwc_f32", "generatedNativePointwise", "__myl_AddRelu",
    "CUTENSOR_NAMESPACE::permutationKernelPLC3<CUTENSOR_NAMESPACE::VectorWrite2D>",
    "void cuInt8::nchwToNchhw2<float>(float const*, __half*, int, int, int)",
    "void transpose_readWrite_alignment_kernel<float2, float2, 1, false, 6, 4, 4>",
    "Memcpy DtoD (Device -> Device)", "Memset (Device)", "wrapped_convert", "input_reduce_fusion_3",
]  # fmt: skip


def test_there_are_sixty_names_and_no_name_twice() -> None:
    names = [name for of_type in COMPUTING.values() for name in of_type]
    assert len(names) >= 60 and len(AROUND) >= 30
    assert len({*names, *AROUND}) == len(names) + len(AROUND)


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for kind, names in COMPUTING.items() for name in names]
)
def test_a_computing_kernel_is_in_its_type(name: str, kind: str) -> None:
    assert kernels.kernel_type(name) == kind


@pytest.mark.parametrize("name", AROUND)
def test_what_stands_around_it_is_not_counted_again(name: str) -> None:
    assert kernels.kernel_type(name) is None


def test_a_list_of_all_is_counted_whole() -> None:
    listed = [(name, kernels.kernel_type(name)) for names in COMPUTING.values() for name in names]
    counts = kernels.counted(listed + [(name, kernels.kernel_type(name)) for name in AROUND])
    assert counts == {kind: dict.fromkeys(names, 1) for kind, names in COMPUTING.items()}


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for kind, names in json.loads(RECORDED.read_text()).items() for name in names],
)
def test_a_kernel_seen_on_an_h100_is_in_its_type(name: str, kind: str) -> None:
    assert kernels.kernel_type(name) == (None if kind == "around" else kind)


def test_a_name_that_tells_no_type_has_that_of_the_operands() -> None:
    seen = [("conv2d_c1_k1_nhwc", "unknown"), ("sm80_xmma_gemm_f32f32", "float32")] * 2
    assert kernels.counted(seen) == {
        "unknown": {"conv2d_c1_k1_nhwc": 2}, "float32": {"sm80_xmma_gemm_f32f32": 2}
    }  # fmt: skip
    assert kernels.counted(seen, "float32") == {
        "float32": {"conv2d_c1_k1_nhwc": 2, "sm80_xmma_gemm_f32f32": 2}
    }
