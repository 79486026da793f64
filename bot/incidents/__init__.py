"""Something is wrong with what came, or it did not come: what was said of it, what the proof says, pictures."""
