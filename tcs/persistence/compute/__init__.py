"""How work is done here: compiled kernels, threads, sorting, memory, the clock of the stages."""
