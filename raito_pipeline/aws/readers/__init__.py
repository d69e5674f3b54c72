"""What is read from AWS: one module a service, each of which gives rows or says why it has none."""
