"""What a recipient wants done with one stop, one file per family. `engine.py` drives them all through `errand_form`."""
