"""Decoders as embedders: what a KV cache does to latency and to the numbers, on models whose answers are known."""
