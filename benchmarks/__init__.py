"""What pytest-optum-auth costs, as ratios of one run: ``python -m benchmarks``."""
