"""one file per command; show.py is how things look"""
