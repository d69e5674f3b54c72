"""What happens by itself: schedules, the sensors that go on with a sync, triggers, discovery, alerts, old runs."""
