"""The shippers' programs: tokens with which they call `/api/v1`."""
