"""The guarantees: what arrives is stored once, what must leave leaves once, what is due happens, whoever dies."""
