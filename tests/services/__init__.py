"""Servers for the tests that need a real one: found or installed, started in private, and gone when the run is over."""
