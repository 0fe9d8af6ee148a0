"""Networks: their architecture, initial weights, and the modules they are handed out as."""
