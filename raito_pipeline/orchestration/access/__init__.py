"""What the access of an account is worked out of, looked up in the stored tables, and what people are shown of it."""
