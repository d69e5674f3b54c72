"""The push of an account: plan, changes, feedback; and what changed in AWS since the last one."""
