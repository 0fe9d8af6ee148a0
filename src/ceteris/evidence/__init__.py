"""Statistics, comparisons and claims: what the trials of a study show, and how sure that is."""
