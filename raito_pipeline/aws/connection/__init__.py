"""The connection to AWS: what every call passes through, whoever makes it."""
