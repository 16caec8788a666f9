"""The command line: verbs, Hydra, listings, and which run a word means."""
