"""Everything about runs: what each belongs to, which follows which, and when a sync begins."""
