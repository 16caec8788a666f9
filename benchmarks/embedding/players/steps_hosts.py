"""Other hosts of onnxruntime: onnxruntime-genai and optimum, over the same graph.

Both are made for generation and ask for an output named ``logits``. They are handed the hidden state under that name,
so that they have no head to compute either.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.embedding.models import path_of
from benchmarks.embedding.players.steps_torch import configuration
from benchmarks.embedding.steps import shape_of
from harness.case import Stage, player

if TYPE_CHECKING:
    from benchmarks.embedding.decoder import Shape

    Solve = Callable[[], dict[str, Any]]

HIDDEN = "last_hidden_state"


@player(
    name="onnxruntime-genai",
    task="embedding.step",
    engine="onnxruntime-genai",
    interpreter=".venvs/genai/bin/python",
    packages={"onnxruntime-genai": ">=0.18"},
    install="benchmarks/embedding/peers.sh genai",
    cite="github.com/microsoft/onnxruntime-genai",
    note="append_tokens; the hidden state goes by the name of logits; rewind_to is in the time",
)
def genai(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Generator.append_tokens of onnxruntime-genai, without its search."""
    import numpy as np
    import onnxruntime_genai

    path, shape, context = path_of(inputs["graph"]), shape_of(inputs["graph"]), inputs["context"]
    _write(path.with_name("genai_config.json"), json.dumps(_genai_config(shape, path.name)).encode())
    config = onnxruntime_genai.Config(str(path.parent))
    options = {"intra_op_num_threads": inputs["threads"]}
    config.overlay(json.dumps({"model": {"decoder": {"session_options": options}}}))
    model = onnxruntime_genai.Model(config)
    asked = onnxruntime_genai.GeneratorParams(model)
    tokens = inputs["tokens"].astype(np.int32)
    asked.set_search_options(max_length=len(tokens) + 1)
    kept = onnxruntime_genai.Generator(model, asked)
    if context:
        kept.append_tokens(tokens[:context])

    def solve() -> dict[str, Any]:
        generator = kept if context else onnxruntime_genai.Generator(model, asked)
        generator.append_tokens(tokens[context:])
        found = np.array(generator.get_logits())[:, -1]
        if context:
            generator.rewind_to(context)
        return {"embeddings": found}

    return solve


@player(
    name="optimum",
    task="embedding.step",
    engine="optimum",
    interpreter=".venvs/optimum/bin/python",
    packages={"optimum-onnx": ">=0.1", "onnxruntime": ">=1.23", "torch": "==2.13.0"},
    install="benchmarks/embedding/peers.sh optimum",
    cite="github.com/huggingface/optimum-onnx",
    note="ORTModelForCausalLM with IO binding; the hidden state goes by the name of logits",
)
def optimum(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """ORTModelForCausalLM.forward of optimum."""
    import onnxruntime
    import torch
    from optimum.onnxruntime import ORTModelForCausalLM
    from transformers import Qwen2Config

    path, shape, context = path_of(inputs["graph"]), shape_of(inputs["graph"]), inputs["context"]
    renamed = path.with_name("hidden_as_logits.onnx")
    _rename_output(path, renamed)
    torch.set_num_threads(inputs["threads"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = inputs["threads"], 3
    session = onnxruntime.InferenceSession(str(renamed), options, providers=["CPUExecutionProvider"])
    config = Qwen2Config(**{**configuration(shape), "vocab_size": shape.hidden})
    model = ORTModelForCausalLM(config=config, session=session, use_io_binding=True)
    ids = torch.from_numpy(inputs["tokens"])[None]

    def after(tokens: Any, past: Any) -> Any:
        mask = torch.ones((1, tokens.shape[1] + (past[0][0].shape[2] if past else 0)), dtype=torch.int64)
        return model(tokens, attention_mask=mask, past_key_values=past, use_cache=True)

    past = after(ids[:, :context], None).past_key_values if context else None
    return lambda: {"embeddings": after(ids[:, context:], past).logits[:, -1].numpy()}


def _genai_config(shape: Shape, file: str) -> dict[str, Any]:
    """What genai_config.json says of a decoder of this suite; its documentation lists the keys."""
    names = {name: name for name in ("input_ids", "attention_mask", "position_ids")}
    past = {f"past_{kind}_names": f"past_key_values.%d.{kind}" for kind in ("key", "value")}
    present = {f"present_{kind}_names": f"present.%d.{kind}" for kind in ("key", "value")}
    decoder = {
        "filename": file,
        "head_size": shape.head_size,
        "hidden_size": shape.hidden,
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "num_key_value_heads": shape.kv_heads,
        "inputs": {**names, **past},
        "outputs": {"logits": HIDDEN, **present},
    }
    general = {"type": "qwen2", "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    sizes = {"context_length": 32768, "vocab_size": shape.hidden}
    search = {"max_length": 32768, "do_sample": False, "past_present_share_buffer": False}
    return {"model": {**general, **sizes, "decoder": decoder}, "search": search}


def _rename_output(path: Path, renamed: Path) -> None:
    """Write the graph again, over the same weights, with its hidden state named ``logits``."""
    import onnx

    model = onnx.load(path, load_external_data=False)
    for node in model.graph.node:
        node.output[:] = ["logits" if name == HIDDEN else name for name in node.output]
    for output in model.graph.output:
        if output.name == HIDDEN:
            output.name = "logits"
    _write(renamed, model.SerializeToString())


def _write(path: Path, content: bytes) -> None:
    """Write a file that is whole whenever it is there."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)
