"""`doorline demo`: the real application, a pretended outside world in a process of its own, and who minds them."""
