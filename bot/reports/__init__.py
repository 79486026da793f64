"""Reviews for clients and digests for dispatchers: figures, charts, files."""
