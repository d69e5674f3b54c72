"""How the cells of a step are made, and what Dagster is told of them: materializations, checks, metadata."""
