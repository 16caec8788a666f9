"""Persistence of a cloud on a GPU: the same reduced complex as on the CPU, by kernels in CUDA C++."""
