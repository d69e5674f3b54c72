"""What the asset modules share: the partition grid, asset specs, metadata, and the guard before an upload."""
