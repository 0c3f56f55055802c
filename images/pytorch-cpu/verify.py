"""Proves that this environment can do what the studies need: each function is a check."""


def a_network_trains() -> str:
    import torch

    weight = torch.ones(4, 4, requires_grad=True)
    (torch.ones(2, 4) @ weight).sum().backward()
    assert weight.grad is not None and float(weight.grad.sum()) == 32.0
    return f"torch {torch.__version__}, {torch.get_num_threads()} threads"


def int8_convolutions_run() -> str:
    import torch
    from torch.ao import quantization

    engines = torch.backends.quantized.supported_engines
    engine = next(name for name in ("x86", "fbgemm", "qnnpack") if name in engines)
    torch.backends.quantized.engine = engine
    model = torch.nn.Sequential(
        quantization.QuantStub(), torch.nn.Conv2d(3, 8, 3), quantization.DeQuantStub()
    ).eval()
    model.qconfig = quantization.get_default_qconfig(engine)
    prepared = quantization.prepare(model)
    prepared(torch.randn(1, 3, 8, 8))
    converted = quantization.convert(prepared)
    assert converted[1].weight().dtype == torch.qint8
    assert converted(torch.randn(1, 3, 8, 8)).shape == (1, 8, 6, 6)
    from torchao.quantization.pt2e.quantizer.x86_inductor_quantizer import X86InductorQuantizer

    X86InductorQuantizer()
    return f"int8 engine {engine}, PT2E's quantizer"


def operations_can_be_profiled() -> str:
    import torch

    with torch.profiler.profile() as profiler:
        torch.nn.functional.conv2d(torch.randn(1, 3, 8, 8), torch.randn(4, 3, 3, 3))
    names = {event.key for event in profiler.key_averages()}
    assert "aten::conv2d" in names, names
    return "torch.profiler sees operations"
