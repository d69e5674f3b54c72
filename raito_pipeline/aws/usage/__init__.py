"""Usage: what CloudTrail says about S3 data objects, as Raito Cloud sees it. No calls to AWS are made here."""
