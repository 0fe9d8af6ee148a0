"""The catalogue's section 8: mistakes of careful authors that a study here cannot make, or that are told."""
