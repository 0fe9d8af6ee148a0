"""Networks for use outside: a program with its preparation in it, or parameters by name."""
