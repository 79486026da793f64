"""HTTP for machines: health, readiness, metrics."""
