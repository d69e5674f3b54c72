"""What a deployment names in the place of a part of Dagster's own: a code server, and the storage of an instance."""
