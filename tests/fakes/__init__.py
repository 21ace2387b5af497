"""Authorization servers to test against: two real ones, and one that answers whatever a test tells it to."""
