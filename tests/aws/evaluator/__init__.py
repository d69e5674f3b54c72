"""AWS's evaluation of one request, written from AWS's documentation and apart from the product.

It shares nothing with `raito_pipeline.aws.policy` and `raito_pipeline.aws.access`, so that these can be tried on it.
"Allowed" is meant strictly: where the documentation leaves a doubt, the request is not allowed. `decide` is the entry.
"""

from tests.aws.evaluator.decisions import (
    Caller,
    Limits,
    Owner,
    Point,
    Request,
    Verdict,
    can_assume,
    decide,
    decide_through,
)
from tests.aws.evaluator.documents import Policy, parse

__all__ = [
    "Caller",
    "Limits",
    "Owner",
    "Point",
    "Policy",
    "Request",
    "Verdict",
    "can_assume",
    "decide",
    "decide_through",
    "parse",
]
