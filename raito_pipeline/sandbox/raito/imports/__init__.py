"""What the local Raito Cloud does with each kind of file: one module a kind, one transaction an import."""
