"""What an account holds, as a plan looks it up in the stored tables. Pure."""
