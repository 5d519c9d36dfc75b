"""The families of attacks: one module each, listed in the corpus."""
