"""Proves that this environment can do what the studies need: each function is a check."""


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
    return f"torch {torch.__version__}, int8 engine {engine}"


def a_graph_is_traced_and_quantized() -> str:
    import torch
    from torch.ao.quantization import get_default_qconfig_mapping
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU()).eval()
    example = (torch.randn(1, 3, 8, 8),)
    prepared = prepare_fx(model, get_default_qconfig_mapping("x86"), example)
    prepared(*example)
    assert convert_fx(prepared)(*example).shape == (1, 8, 6, 6)
    return "FX quantization traces, prepares and converts"
