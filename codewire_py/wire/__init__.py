"""frames and messages, without I/O, shared by daemon and client"""
