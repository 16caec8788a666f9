"""transformers on torch: the model that the graph was exported from, given the same weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from benchmarks.embedding.decoder import each_weight
from benchmarks.embedding.steps import shape_of
from harness.case import Stage, player

if TYPE_CHECKING:
    from benchmarks.embedding.decoder import Shape

PARTS = {
    "attention_norm": "input_layernorm.weight",
    "ffn_norm": "post_attention_layernorm.weight",
    **{
        f"{ours}.{kind}": f"self_attn.{theirs}.{kind}"
        for ours, theirs in {"query": "q_proj", "key": "k_proj", "value": "v_proj", "output": "o_proj"}.items()
        for kind in ("weight", "bias")
    },
    **{f"{name}.weight": f"mlp.{name}_proj.weight" for name in ("gate", "up", "down")},
}
"""Names of a layer's weights here, and in transformers."""


@player(
    name="transformers",
    task="embedding.step",
    engine="torch",
    interpreter=".venvs/transformers/bin/python",
    packages={"torch": "==2.13.0", "transformers": ">=5,<6"},
    install="benchmarks/embedding/peers.sh transformers",
    cite="Wolf et al. 2020, arXiv:1910.03771",
    note="Qwen2Model, which has no head, in float32 with DynamicCache; cutting the cache back is in the time",
)
def transformers(inputs: Mapping[str, Any], stage: Stage) -> Callable[[], dict[str, Any]]:
    """Qwen2Model with the weights of the graph."""
    import torch
    from transformers import DynamicCache, Qwen2Config, Qwen2Model

    torch.set_num_threads(inputs["threads"])
    shape, context = shape_of(inputs["graph"]), inputs["context"]
    model = Qwen2Model(Qwen2Config(**configuration(shape))).eval()
    own = dict(model.named_parameters())
    with torch.inference_mode():
        for name, values in named_weights(shape):
            own.pop(name).copy_(torch.from_numpy(values))
    if own:
        raise RuntimeError(f"transformers has weights that the graph has not: {', '.join(own)}")
    ids = torch.from_numpy(inputs["tokens"])[None]
    cache = DynamicCache()

    def after(tokens: Any, past: Any) -> Any:
        with torch.inference_mode():
            return model(tokens, past_key_values=past, use_cache=True).last_hidden_state

    if context:
        after(ids[:, :context], cache)

    def solve() -> dict[str, Any]:
        past = cache if context else DynamicCache()
        found = after(ids[:, context:], past)
        if context:
            past.crop(context - ids.shape[1])
        return {"embeddings": found[:, -1].numpy()}

    return solve


def configuration(shape: Shape) -> dict[str, Any]:
    """What config.json of a Qwen2 model of this shape says, as transformers 5 reads it (4 wants ``rope_theta``)."""
    return {
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.ffn,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "max_position_embeddings": 32768,
        "rms_norm_eps": shape.epsilon,
        "rope_parameters": {"rope_type": "default", "rope_theta": shape.theta},
        "rope_theta": shape.theta,
        "tie_word_embeddings": True,
    }


def named_weights(shape: Shape) -> Iterator[tuple[str, Any]]:
    """The weights of a decoder under the names of transformers; products there are states @ weight.T."""
    names = {"embedding": "embed_tokens.weight", "norm": "norm.weight"}
    for name, values in each_weight(shape):
        layer, _, part = name.removeprefix("layers.").partition(".")
        known = names.get(name) or f"layers.{layer}.{PARTS[part]}"
        yield known, values.T if values.ndim == 2 and name != "embedding" else values
