"""The benchmark: the gateway beside the least that any program on the same exchange must do, in one run."""
