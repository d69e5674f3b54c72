"""What is known of buckets and access points: a region that is not known is never taken for an empty one."""

from raito_pipeline.aws.push.account.point_state import NO_POINTS, PointState


def test_a_region_that_is_not_known_says_why() -> None:
    state = PointState.of((), (), {"eu-west-1": None, "eu-west-3": "access_points was never read"}, ())
    assert state.why_unknown("eu-west-1") is None
    assert state.why_unknown("eu-west-3") == "access_points was never read"
    assert NO_POINTS.why_unknown("eu-west-1") == "region eu-west-1 is not in aws-regions"
