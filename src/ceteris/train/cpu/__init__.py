"""The CPU engine: a compiled interpreter of layer tables, one member's cache-sized loop at a time."""
