"""What `make lint` runs beside the usual tools."""
