"""What a relying party of Web Authentication Level 3 checks, as values and pure functions; the kind `passkey` uses it."""
