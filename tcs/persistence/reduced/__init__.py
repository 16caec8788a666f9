"""The reduced complex, wherever it came from: forest, boundary matrix, reduction, what bars go around."""
