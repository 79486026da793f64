"""`/api/v1`: what the shippers' own systems call. One module per thing that is read or changed."""
