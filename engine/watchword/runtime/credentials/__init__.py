"""What the engine does with credentials: the one write of a right answer, in the name of its round."""
