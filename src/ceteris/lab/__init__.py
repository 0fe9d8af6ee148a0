"""Runs a study: trials -> cohorts -> workers -> records. Resume, extend; processes only at the edge."""
