"""What is known of messages by the channel that carries them."""
