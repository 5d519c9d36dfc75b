"""The adapters: they translate and perform, and decide nothing."""
