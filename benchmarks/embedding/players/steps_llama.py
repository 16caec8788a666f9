"""llama.cpp by its Python bindings: the same weights as a GGUF file, in float32."""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.embedding.decoder import each_weight
from benchmarks.embedding.models import path_of
from benchmarks.embedding.steps import shape_of
from harness.case import Stage, player

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.embedding.decoder import Shape

PARTS = {
    "attention_norm": "attn_norm",
    "ffn_norm": "ffn_norm",
    "query": "attn_q",
    "key": "attn_k",
    "value": "attn_v",
    "output": "attn_output",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}
"""Names of a layer's weights here, and in a GGUF file."""
CALL = 512
"""Tokens of one call, its default."""


@player(
    name="llama.cpp",
    task="embedding.step",
    engine="llama.cpp",
    interpreter=".venvs/llama/bin/python",
    packages={"llama-cpp-python": ">=0.3", "gguf": ">=0.10"},
    install="benchmarks/embedding/peers.sh llama",
    cite="github.com/ggml-org/llama.cpp",
    note="llama_decode, all in float32; it computes its head for every token; cutting the cache back is in the time",
)
def llama(inputs: Mapping[str, Any], stage: Stage) -> Callable[[], dict[str, Any]]:
    """llama_decode of llama.cpp."""
    import llama_cpp as library

    shape, tokens, first = shape_of(inputs["graph"]), inputs["tokens"], inputs["context"]
    file = path_of(inputs["graph"]).with_name("model.gguf")
    if not file.is_file():
        write_gguf(file, shape)
    library.llama_log_set(_quiet(), None)
    library.llama_backend_init()
    model = library.llama_model_load_from_file(str(file).encode(), library.llama_model_default_params())
    asked = library.llama_context_default_params()
    asked.n_ctx, asked.n_batch, asked.n_ubatch = len(tokens), CALL, CALL
    asked.n_threads = asked.n_threads_batch = inputs["threads"]
    asked.embeddings, asked.pooling_type = True, library.LLAMA_POOLING_TYPE_NONE
    asked.type_k = asked.type_v = library.GGML_TYPE_F32
    asked.flash_attn_type = library.LLAMA_FLASH_ATTN_TYPE_DISABLED
    context = library.llama_init_from_model(model, asked)
    memory = library.llama_get_memory(context)

    def put_in(ids: NDArray[np.int32]) -> None:
        for at in range(0, len(ids), CALL):
            part = np.ascontiguousarray(ids[at : at + CALL])
            pointer = part.ctypes.data_as(ctypes.POINTER(library.llama_token))
            if status := library.llama_decode(context, library.llama_batch_get_one(pointer, len(part))):
                raise RuntimeError(f"llama_decode of {len(part)} tokens ended with {status}")

    ids = tokens.astype(np.int32)
    if first:
        put_in(ids[:first])

    def solve() -> dict[str, Any]:
        library.llama_memory_seq_rm(memory, 0, first, -1)
        put_in(ids[first:])
        found = np.ctypeslib.as_array(library.llama_get_embeddings_ith(context, -1), (shape.hidden,))
        return {"embeddings": found[None].copy()}

    return solve


@functools.cache
def _quiet() -> Any:
    """A log that says nothing; the library calls it for as long as it lives, so it is kept."""
    import llama_cpp

    return llama_cpp.llama_log_callback(lambda *_: None)


def write_gguf(path: Path, shape: Shape) -> None:
    """A decoder of this shape as a GGUF file in float32, without a tokenizer; whole whenever it is there."""
    import gguf

    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    writer = gguf.GGUFWriter(part, "qwen2", use_temp_file=True)
    writer.add_context_length(32768)
    writer.add_embedding_length(shape.hidden)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.ffn)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_freq_base(shape.theta)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("no_vocab")
    for name, values in named_weights(shape):
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.replace(path)


def named_weights(shape: Shape) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The weights of a decoder under the names of GGUF; products there are states @ weight.T."""
    names = {"embedding": "token_embd.weight", "norm": "output_norm.weight"}
    for name, values in each_weight(shape):
        layer, _, part = name.removeprefix("layers.").partition(".")
        own, _, kind = part.partition(".")
        known = names.get(name) or f"blk.{layer}.{PARTS[own]}.{kind or 'weight'}"
        turned = values.T if values.ndim == 2 and name != "embedding" else values
        yield known, np.ascontiguousarray(turned)
