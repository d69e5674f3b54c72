"""The imports of Raito Cloud, and the jobs in which they are seen there."""
