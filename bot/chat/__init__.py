"""`doorline chat`: a recipient in the terminal."""
