"""How each technique quantizes the captioner with some of its components left in float.

lad2023, section II-A: what its authors tried on such a network. Every way is given the trained
float network's weights, and gives back a network and the components that ended in float though
nobody asked for that.
"""

from __future__ import annotations

from typing import Any, Callable, ContextManager, Dict, FrozenSet, List, NamedTuple

import torch
from torch import nn
from torch.ao import quantization
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx, prepare_qat_fx

from runners.models.captioner import COMPONENTS, Captioner, layers_of
from runners.pytorch.captioner import precisions
from runners.pytorch.captioner.network import (
    CaptionerModule,
    StubbedCaptionerModule,
    load_arrays,
)
from runners.pytorch.parts import eager

Seen = Callable[[nn.Module], None]
"""Shows pictures and words to a network's observers, or trains it."""


class Setting(NamedTuple):
    """What a way starts from. ``example``: pictures and words. ``phase``: as a job's.

    ``observer``: that of activations in eager and FX mode, by the names of parts.eager; the default
    searches histograms for seconds, where min-max shows as well what is refused.
    """

    network: Captioner
    arrays: Dict[str, Any]
    example: Any
    calibrate: Seen
    train: Seen
    phase: Callable[[str], ContextManager[None]]
    observer: str = ""


class Quantized(NamedTuple):
    """``in_float``: components that ended in float by themselves. ``compiled`` has to be compiled
    before it is proven: what it computes in can't be seen before.
    """

    model: Any
    in_float: List[str]
    compiled: bool = False


Way = Callable[[Setting, FrozenSet[str]], Quantized]


def _plain(setting: Setting) -> CaptionerModule:
    model = CaptionerModule(setting.network)
    load_arrays(model, setting.arrays)
    model.eval()
    return model


def _stubbed(setting: Setting, kept: FrozenSet[str]) -> StubbedCaptionerModule:
    model = StubbedCaptionerModule(setting.network, kept)
    load_arrays(model, setting.arrays)
    model.eval()
    return model


def _layers(setting: Setting, kept: FrozenSet[str]) -> List[str]:
    """The modules of components that stay in float, ReLUs behind them too."""
    of = layers_of(setting.network)
    found = [layer for name in COMPONENTS if name in kept for layer in of[name]]
    return [*found, *(f"{layer}_relu" for layer in found)]


def ptq_eager(setting: Setting, kept: FrozenSet[str]) -> Quantized:
    """Stubs placed by hand wherever a number enters a quantized layer; Conv and ReLU fused."""
    model: nn.Module = _stubbed(setting, kept)
    if model.fusible():  # type: ignore[operator]
        model = quantization.fuse_modules(model, model.fusible())  # type: ignore[operator]
    model.qconfig = eager.calibrating_config(setting.observer)
    _configure(model, setting, kept, quantization.float_qparams_weight_only_qconfig)
    with setting.phase("prepare"):
        prepared = quantization.prepare(model)
    setting.calibrate(prepared)
    with setting.phase("convert"):
        converted = quantization.convert(prepared)
    return _eagerly(setting, converted, kept)


def qat_eager(setting: Setting, kept: FrozenSet[str]) -> Quantized:
    """The same with fake quantization, trained on, then converted."""
    model: nn.Module = _stubbed(setting, kept).train()
    if model.fusible():  # type: ignore[operator]
        model = quantization.fuse_modules_qat(model, model.fusible())  # type: ignore[operator]
    model.qconfig = quantization.get_default_qat_qconfig(eager.choose_backend())
    _configure(model, setting, kept, quantization.default_embedding_qat_qconfig)
    aware = quantization.quantization_mappings.get_embedding_qat_module_mappings()
    static = quantization.quantization_mappings.get_embedding_static_quant_module_mappings()
    with setting.phase("prepare"):
        prepared = quantization.prepare_qat(model, mapping=aware)
    setting.train(prepared)
    with setting.phase("convert"):
        converted = quantization.convert(prepared.eval(), mapping=static)
    return _eagerly(setting, converted, kept)


def _configure(model: nn.Module, setting: Setting, kept: FrozenSet[str], of_embedding: Any) -> None:
    """Embeddings take a configuration of their own; what stays in float has none."""
    model.embedding.qconfig = of_embedding  # type: ignore[union-attr]
    for name in _layers(setting, kept):
        if hasattr(model, name):
            getattr(model, name).qconfig = None


def _eagerly(setting: Setting, model: nn.Module, kept: FrozenSet[str]) -> Quantized:
    found = precisions.float_modules(model)
    return Quantized(model, precisions.components(setting.network, found, kept))


def ptq_fx(setting: Setting, kept: FrozenSet[str]) -> Quantized:
    """The traced graph, observed and converted; no stubs."""
    mapping = quantization.get_default_qconfig_mapping(eager.choose_backend())
    if setting.observer:
        mapping.set_global(eager.calibrating_config(setting.observer))
    mapping.set_object_type(nn.Embedding, quantization.float_qparams_weight_only_qconfig)
    for name in _layers(setting, kept):
        mapping.set_module_name(name, None)
    with setting.phase("prepare"):
        prepared = prepare_fx(_plain(setting), mapping, setting.example)
    setting.calibrate(prepared)
    return _converted_fx(setting, prepared, kept)


def qat_fx(setting: Setting, kept: FrozenSet[str]) -> Quantized:
    """The same with fake quantization, trained on."""
    mapping = quantization.get_default_qat_qconfig_mapping(eager.choose_backend())
    mapping.set_object_type(nn.Embedding, quantization.default_embedding_qat_qconfig)
    for name in _layers(setting, kept):
        mapping.set_module_name(name, None)
    with setting.phase("prepare"):
        prepared = prepare_qat_fx(_plain(setting).train(), mapping, setting.example)
    setting.train(prepared)
    return _converted_fx(setting, prepared.eval(), kept)


def _converted_fx(setting: Setting, prepared: Any, kept: FrozenSet[str]) -> Quantized:
    scopes = prepared.meta["_observed_graph_module_attrs"].node_name_to_scope
    with setting.phase("convert"):
        model = convert_fx(prepared)
    found = precisions.float_modules(model) | precisions.float_functions(model, scopes)
    return Quantized(model, precisions.components(setting.network, found, kept))


def ptq_pt2e(setting: Setting, kept: FrozenSet[str]) -> Quantized:
    """The exported graph, by X86InductorQuantizer; the compiler makes integers of it."""
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

    quantizer = x86.X86InductorQuantizer()
    quantizer.set_global(x86.get_default_x86_inductor_quantization_config())
    for name in _layers(setting, kept):
        quantizer.set_module_name_qconfig(name, None)
    with setting.phase("prepare"), torch.no_grad():
        program = torch.export.export(_plain(setting), setting.example)
        prepared = prepare_pt2e(program.module(), quantizer)
    setting.calibrate(prepared)
    with setting.phase("convert"):
        model = convert_pt2e(prepared)
    found = precisions.float_nodes(model)
    return Quantized(model, precisions.components(setting.network, found, kept), True)


def dynamic(setting: Setting, kept: FrozenSet[str]) -> Quantized:
    """Weights of products and embeddings in int8; activations quantized at each call."""
    eager.choose_backend()
    left = set(_layers(setting, kept))
    products = [name for name in setting.network.products if name not in left]
    spec: Dict[str, Any] = dict.fromkeys(products, quantization.default_dynamic_qconfig)
    if "embedding" not in left:
        spec["embedding"] = quantization.float_qparams_weight_only_qconfig
    model: nn.Module = _plain(setting)
    with setting.phase("convert"):
        if spec:
            model = quantization.quantize_dynamic(model, spec, dtype=torch.qint8)
    return _eagerly(setting, model, kept)


def int8_torchao(setting: Setting, kept: FrozenSet[str]) -> Quantized:
    """torchao's int8 products: weights by channel, activations at each call, not compiled."""
    from torchao.quantization import Int8DynamicActivationInt8WeightConfig, quantize_

    left = set(_layers(setting, kept))
    model = _plain(setting)
    with setting.phase("convert"):
        quantize_(
            model,
            Int8DynamicActivationInt8WeightConfig(set_inductor_config=False),
            lambda module, name: isinstance(module, nn.Linear) and name not in left,
        )
    return _eagerly(setting, model, kept)


WAYS: Dict[str, Way] = {
    "ptq-eager": ptq_eager,
    "ptq-fx": ptq_fx,
    "ptq-pt2e": ptq_pt2e,
    "dynamic": dynamic,
    "int8-torchao": int8_torchao,
    "qat-eager": qat_eager,
    "qat-fx": qat_fx,
}
"""By technique."""
