"""Whose an object of AWS is: what a push may change, keeps, takes over again, or removes. Pure."""
