"""ways to a daemon elsewhere; each dials, and returns what can be used like a socket"""
